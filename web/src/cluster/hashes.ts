/**
 * Compares the replicas' state hashes. Equal revisions must have equal hashes, also where one replica was there a while
 * after another: the hash of each revision is remembered when the first one has it.
 */
import type { Moment, Replica } from './replica'

/** Most revisions whose hash is remembered; the oldest go first. */
const MAX_REMEMBERED = 2_000

/** Two replicas that have different histories up to the same revision. */
export interface Divergence {
  revision: string
  /** Their ids. */
  between: readonly [string, string]
}

interface Held {
  hash: string
  by: string
}

export type HashBook = ReturnType<typeof createHashBook>

export function createHashBook() {
  const held = new Map<string, Held>()
  const newest = new Map<string, bigint>()
  let found: Divergence | null = null

  /** True where a replica is behind where it was: its data were replaced, and what is remembered is of another history. */
  function replaced({ id, revision }: Replica): boolean {
    const before = newest.get(id)
    newest.set(id, BigInt(revision))
    return before !== undefined && BigInt(revision) < before
  }

  return {
    /** Takes in a moment; returns the first two that were found to differ, for as long as they keep their data. */
    compare({ replicas }: Moment): Divergence | null {
      if (replicas.filter(replaced).length > 0) {
        held.clear()
        found = null
      }
      for (const { id, revision, stateHash } of replicas) {
        const first = held.get(revision)
        if (!first) held.set(revision, { hash: stateHash, by: id })
        else if (first.hash !== stateHash && first.by !== id) found ??= { revision, between: [first.by, id] }
      }
      for (const revision of held.keys()) {
        if (held.size <= MAX_REMEMBERED) break
        held.delete(revision)
      }
      return found
    },
  }
}
