/** How the replicas stand, for the one sentence that says it. */
import { isReachable, leaderOf, type Replica } from '@/cluster/replica'

/**
 * - `equal`: all that are reachable are at one revision and have one hash.
 * - `apart`: they are at different revisions, where hashes do not compare.
 * - `alone`: there is one, and nothing to compare it with.
 * - `differ`: two have different hashes at an equal revision.
 */
export type Hashes = 'equal' | 'apart' | 'alone' | 'differ'

export interface Standing {
  total: number
  /** The newest revision that a reachable replica has. */
  head: string
  /** How many of the reachable have it. */
  holding: number
  leader: string | null
  hashes: Hashes
}

/** Null as long as nothing is known. */
export function standingOf(replicas: readonly Replica[], diverged: boolean): Standing | null {
  const reachable = replicas.filter(isReachable)
  if (reachable.length === 0) return null
  const head = reachable.map(({ revision }) => BigInt(revision)).reduce((a, b) => (a > b ? a : b))
  const holding = reachable.filter(({ revision }) => BigInt(revision) === head)
  return {
    total: replicas.length,
    head: head.toString(),
    holding: holding.length,
    leader: leaderOf(replicas)?.id ?? null,
    hashes: hashesOf(reachable, holding, diverged),
  }
}

function hashesOf(reachable: readonly Replica[], holding: readonly Replica[], diverged: boolean): Hashes {
  if (diverged || new Set(holding.map(({ stateHash }) => stateHash)).size > 1) return 'differ'
  if (holding.length < reachable.length) return 'apart'
  return reachable.length === 1 ? 'alone' : 'equal'
}
