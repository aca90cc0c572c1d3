/** How far an expense has come on its way to the replicas. */
import type { Entry } from '@/outbox/entry'

export interface Progress {
  state: Entry['state']
  /** Replicas that have it. */
  count: number
  /** Replicas that should. */
  total: number
}

/** What is known of the replicas: see `Cluster`. */
export interface Known {
  /** How many replicas there are. */
  replicas: number
  /** How many of them have a revision. */
  holding: (revision: string) => number
}

/** The receipt says who had it when it was sent; the live view says who has it by now. */
export function progressOf({ state, receipt }: Pick<Entry, 'state' | 'receipt'>, known: Known): Progress {
  if (!receipt) return { state, count: 0, total: Math.max(known.replicas, 1) }
  const acknowledged = receipt.acknowledgedBy.length
  const total = Math.max(known.replicas, acknowledged + receipt.pending.length)
  return { state, count: Math.min(total, Math.max(acknowledged, known.holding(receipt.revision))), total }
}
