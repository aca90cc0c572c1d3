/** Some years of a household's expenses, in a cluster. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { BINARY, type Cluster } from './cluster.ts'

const ROWS = 2_000
const filled = new WeakSet<Cluster>()

/** Fills the cluster once, however many tests ask for it. */
export function fillWithSample(cluster: Cluster) {
  if (filled.has(cluster)) return
  const rows = execFileSync(BINARY, ['sample', '--rows', String(ROWS), '--seed', '7'])
  const file = `${cluster.folder}/sample.csv`
  writeFileSync(file, rows)
  execFileSync(BINARY, ['import', file, '--url', cluster.url(1)], { stdio: 'pipe' })
  filled.add(cluster)
}
