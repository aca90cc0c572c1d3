/** Loopback ports for the clusters of the browser tests. */
import { createServer } from 'node:net'

/**
 * Below the range that the system hands out for outgoing connections, and below that of the Rust tests
 * (`tests/src/ports.rs`), which may run at the same time.
 */
const FIRST = 12_000
/** Every worker of the runner has a range of its own. */
const PER_WORKER = 1_000
const WORKERS = 8

/** The first of so many free ports in a row. */
export async function freeRow(worker: number, length: number): Promise<number> {
  const range = FIRST + (worker % WORKERS) * PER_WORKER
  const start = Math.floor(Math.random() * PER_WORKER)
  for (let step = 0; step < PER_WORKER; step += length) {
    const first = range + ((start + step) % (PER_WORKER - length))
    const row = Array.from({ length }, (_, index) => first + index)
    if ((await Promise.all(row.map(isFree))).every(Boolean)) return first
  }
  throw new Error(`no ${length} free ports in a row from ${range} to ${range + PER_WORKER}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}
