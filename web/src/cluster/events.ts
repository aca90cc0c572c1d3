/** What happened between two moments, in words that people use of replicas. */
import type { Divergence } from './hashes'
import { isReachable, leaderOf, type Moment, type Replica } from './replica'

/**
 * - `elected`: it is the leader of a term that the page had not heard of.
 * - `leaderless`: it is the leader no more, and nobody else is.
 * - `lost`: it has not been heard from in time.
 * - `back`: it is heard from again.
 * - `behind`: mutations no longer wait for it.
 * - `caughtUp`: it has everything again.
 * - `diverged`: it has another history than `other`.
 */
export type EventKind = 'elected' | 'leaderless' | 'lost' | 'back' | 'behind' | 'caughtUp' | 'diverged'

export interface ClusterEvent {
  kind: EventKind
  /** When this page learned of it, by this machine's clock, in milliseconds. */
  at: number
  /** The replica it is about. */
  replica: string
  term: string
  revision: string
  /** The other one of two that differ. */
  other?: string
}

/** What is new in a moment, in the order in which it is told; all is new where there was none before. */
export function eventsBetween(before: Moment | null, now: Moment): ClusterEvent[] {
  const events: ClusterEvent[] = []
  const tell = (kind: EventKind, { id, term, revision }: Replica) =>
    events.push({ kind, at: now.at, replica: id, term, revision })

  for (const replica of now.replicas) {
    const earlier = before?.replicas.find(({ id }) => id === replica.id)
    const reachable = isReachable(replica)
    const wasReachable = earlier ? isReachable(earlier) : true
    if (wasReachable && !reachable) tell('lost', replica)
    if (!wasReachable && reachable) tell('back', replica)
    if (reachable && earlier && earlier.inSync !== replica.inSync) {
      // One that is back says first that it is, and that it has caught up when it has.
      if (replica.inSync) tell('caughtUp', replica)
      else if (wasReachable) tell('behind', replica)
    }
  }

  const leader = leaderOf(now.replicas)
  const earlier = before && leaderOf(before.replicas)
  if (leader && (leader.id !== earlier?.id || leader.term !== earlier.term)) tell('elected', leader)
  if (!leader && earlier) tell('leaderless', now.replicas.find(({ id }) => id === earlier.id) ?? earlier)
  return events
}

/** The event of two replicas that differ. */
export function eventOf({ revision, between: [other, replica] }: Divergence, at: number, term: string): ClusterEvent {
  return { kind: 'diverged', at, replica, term, revision, other }
}
