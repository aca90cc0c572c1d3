/**
 * A real cluster: three replicas, each on a PostgreSQL server of its own, as `threefold demo` starts them.
 *
 * A replica that a test kills stays dead until `revive`: the demo, which would start it again, is held that long.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freeRow } from './ports.ts'
import { isRunning, replicaProcess } from './processes.ts'
import { until } from './wait.ts'

export const REPLICAS = [1, 2, 3] as const
export type ReplicaId = (typeof REPLICAS)[number]

/** The demo starts what died after five seconds; a debug binary on a busy machine takes its time. */
const READY_TIMEOUT = 60_000
export const BINARY = process.env['THREEFOLD_BIN'] ?? resolve(import.meta.dirname, '../../target/debug/threefold')

/**
 * Runs the demo as long as somebody holds its input. However the tests end, even killed, the input is closed, the demo
 * stops its replicas and servers, and the folder goes.
 */
const GUARD = `
  "$@" </dev/null >&2 &
  demo=$!
  echo $demo
  exec >/dev/null
  cat >/dev/null
  kill -TERM $demo
  kill -CONT $demo
  wait $demo
  rm -rf "$FOLDER"
`

export class Cluster {
  private constructor(
    /** Everything of the cluster on disk; goes with it. */
    readonly folder: string,
    private readonly firstPort: number,
    private readonly guard: ChildProcess,
    private readonly demo: number,
  ) {}

  /** Starts one and returns when all three replicas serve. */
  static async start(worker: number): Promise<Cluster> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run cargo build, or name a binary in THREEFOLD_BIN`)
    const folder = mkdtempSync(join(tmpdir(), 'threefold-e2e-'))
    // PostgreSQL refuses to run as root, and its own account has to pass through.
    chmodSync(folder, 0o755)
    const port = await freeRow(worker, 9)
    const ports = ['--public-port', port, '--peer-port', port + 3, '--postgres-port', port + 6]
    const command = [BINARY, 'demo', '--database', 'postgres', '--data', join(folder, 'data'), ...ports].map(String)
    const log = openSync(join(folder, 'demo.log'), 'a')
    // In a process group of its own, which Ctrl-C at the terminal does not reach: the guard decides.
    const guard = spawn('sh', ['-c', GUARD, 'guard', ...command], {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      env: { ...ownEnvironment(), FOLDER: folder },
    })
    const demo = await firstLine(guard)
    const cluster = new Cluster(folder, port, guard, Number(demo))
    try {
      await cluster.ready()
    } catch (error) {
      const said = readFileSync(join(folder, 'demo.log'), 'utf8')
      await cluster.stop()
      throw new Error(`the cluster does not start: ${said}`, { cause: error })
    }
    return cluster
  }

  /** Where that replica serves the page and the API. */
  url(id: ReplicaId): string {
    return `http://127.0.0.1:${this.firstPort + id - 1}`
  }

  /** Waits until those replicas serve. */
  async ready(ids: readonly ReplicaId[] = REPLICAS): Promise<void> {
    await Promise.all(
      ids.map((id) =>
        until(`replica ${id} serves`, () => isOk(`${this.url(id)}/readyz`), READY_TIMEOUT),
      ),
    )
  }

  /** Kills that replica outright, and keeps it dead. */
  async kill(id: ReplicaId): Promise<void> {
    this.hold()
    const running = this.process(id)
    process.kill(running, 'SIGKILL')
    await until(`replica ${id} is gone`, () => !isRunning(running))
  }

  /** Kills all three at once. */
  async killAll(): Promise<void> {
    await Promise.all(REPLICAS.map((id) => this.kill(id)))
  }

  /** Has the dead replicas started again, and waits until all three serve. */
  async revive(): Promise<void> {
    process.kill(this.demo, 'SIGCONT')
    for (const id of REPLICAS) if (replicaProcess(this.folder, id) !== null) this.resume(id)
    await this.ready()
  }

  /** Stops that replica in the middle of what it does: it neither answers nor hangs up. */
  pause(id: ReplicaId): void {
    process.kill(this.process(id), 'SIGSTOP')
  }

  resume(id: ReplicaId): void {
    process.kill(this.process(id), 'SIGCONT')
  }

  /** Stops everything and removes all that it wrote. */
  async stop(): Promise<void> {
    if (this.guard.exitCode !== null) return
    const ended = new Promise((resolve) => this.guard.once('exit', resolve))
    this.guard.stdin?.end()
    await ended
  }

  private hold() {
    process.kill(this.demo, 'SIGSTOP')
  }

  private process(id: ReplicaId): number {
    const found = replicaProcess(this.folder, id)
    if (found === null) throw new Error(`replica ${id} does not run`)
    return found
  }
}

/** Without the settings that the person at the keyboard keeps for a replica. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THREEFOLD_')))
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim()))
    child.once('error', reject)
    child.once('exit', () => reject(new Error('the demo has ended')))
  })
}

async function isOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}
