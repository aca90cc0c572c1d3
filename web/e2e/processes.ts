/** Processes of a cluster, found by their command lines. */
import { readdirSync, readFileSync } from 'node:fs'

/** The process of replica `id` of the cluster in that folder; null where it does not run. */
export function replicaProcess(folder: string, id: number): number | null {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const command = commandLine(Number(name))
    const isReplica = command[1] === 'serve' && command.some((each, at) => each === '--id' && command[at + 1] === String(id))
    if (isReplica && command.some((each) => each.startsWith(folder))) return Number(name)
  }
  return null
}

/** True until the process has ended; one that waits for its parent to notice has ended. */
export function isRunning(process: number): boolean {
  return commandLine(process).length > 0
}

function commandLine(process: number): string[] {
  try {
    return readFileSync(`/proc/${process}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}
