/**
 * The change feed: every change of the ledger, in order, once, from whichever replica the page talks to.
 *
 * It remembers the last revision that it has seen and goes on from there after every interruption. The newest batches
 * are kept, so that a list which was read while they came can catch up: see `since`.
 */
import { reactive, readonly } from 'vue'
import { graphql } from '@/graphql/generated'
import type { ChangesSubscription } from '@/graphql/generated/graphql'
import type { Socket } from '@/graphql/socket'

/** Most batches that are kept for lists to catch up, and most changes in them. */
const MAX_KEPT = 1_000
const MAX_KEPT_CHANGES = 5_000
/** Wait before a subscription that was ended is begun again, in milliseconds. */
const RESTART_WAIT = 1_000

const ChangesDocument = graphql(`
  subscription Changes($after: Revision) {
    changes(after: $after) {
      __typename
      ... on ChangeBatch {
        revision
        committedAt
        changes {
          __typename
          ... on ExpenseAdded {
            expense {
              ...ExpenseFields
            }
          }
          ... on ExpenseUpdated {
            expense {
              ...ExpenseFields
            }
            before {
              ...ExpenseFields
            }
          }
          ... on ExpenseDeleted {
            expense {
              ...ExpenseFields
            }
          }
          ... on ExpenseRestored {
            expense {
              ...ExpenseFields
            }
          }
          ... on CategoryAdded {
            category {
              ...CategoryFields
            }
          }
          ... on CategoryUpdated {
            category {
              ...CategoryFields
            }
          }
          ... on CategoryDeleted {
            categoryId
            mergedInto
          }
        }
      }
      ... on Bookmark {
        revision
      }
      ... on ResyncRequired {
        oldestRevision
        headRevision
      }
    }
  }
`)

type FeedEvent = ChangesSubscription['changes']
/** All changes of one revision. */
export type Batch = Extract<FeedEvent, { __typename: 'ChangeBatch' }>
/** One change. */
export type Change = Batch['changes'][number]

/** What listeners are told: a batch, or that they have missed something and must read again. */
export type FeedMessage = { type: 'batch'; batch: Batch } | { type: 'resync' }

export type Feed = ReturnType<typeof createFeed>

export function createFeed(socket: Socket) {
  const state = reactive({
    /** The last revision that the page has seen; null before the first. A decimal string: compare with `isAfter`. */
    revision: null as string | null,
    /** True once everything up to now has arrived. */
    caughtUp: false,
  })
  const listeners = new Set<(message: FeedMessage) => void>()
  const variables: { after: string | null } = { after: null }
  /** The newest batches, oldest first, without a gap behind `keptAfter`. */
  let kept: Batch[] = []
  let keptAfter: bigint | null = null
  let keptChanges = 0
  let stop: (() => void) | null = null
  let restart: ReturnType<typeof setTimeout> | undefined

  function begin() {
    stop?.()
    stop = socket.subscribe(ChangesDocument, variables, {
      next: ({ changes }) => take(changes),
      error: again,
      complete: again,
    })
  }

  function again() {
    stop = null
    state.caughtUp = false
    clearTimeout(restart)
    restart = setTimeout(begin, RESTART_WAIT)
  }

  function take(event: FeedEvent) {
    if (event.__typename === 'ResyncRequired') {
      // The next subscription begins at the head; what lies between, everybody reads again.
      moveTo(event.headRevision)
      kept = []
      keptChanges = 0
      keptAfter = BigInt(event.headRevision)
      tell({ type: 'resync' })
      return
    }
    keptAfter ??= event.__typename === 'Bookmark' ? BigInt(event.revision) : BigInt(event.revision) - 1n
    if (event.__typename === 'Bookmark') {
      moveTo(event.revision)
      state.caughtUp = true
      return
    }
    // After a reconnection a replica may begin with what was seen already.
    if (!isAfter(event.revision, state.revision)) return
    moveTo(event.revision)
    kept.push(event)
    keptChanges += event.changes.length
    while (kept.length > MAX_KEPT || keptChanges > MAX_KEPT_CHANGES) {
      const dropped = kept.shift()
      if (!dropped) break
      keptChanges -= dropped.changes.length
      keptAfter = BigInt(dropped.revision)
    }
    tell({ type: 'batch', batch: event })
  }

  function moveTo(revision: string) {
    if (state.revision !== null && !isAfter(revision, state.revision)) return
    state.revision = revision
    variables.after = revision
  }

  function tell(message: FeedMessage) {
    for (const listener of [...listeners]) listener(message)
  }

  return {
    state: readonly(state),
    start: begin,
    stop() {
      clearTimeout(restart)
      stop?.()
      stop = null
    },
    /** Calls back for everything from now on; returns how to end that. */
    listen(listener: (message: FeedMessage) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** The newest batches that are kept, oldest first. */
    recent: (): readonly Batch[] => kept,
    /**
     * The batches after a revision that something was read at, so that it misses nothing; null where they are not
     * known, and it must be read again. Also null as long as the feed has not begun.
     */
    since(revision: string): Batch[] | null {
      if (keptAfter === null || BigInt(revision) < keptAfter) return null
      return kept.filter((batch) => isAfter(batch.revision, revision))
    },
  }
}

/** True where revision `a` is later than `b`; every one is later than none. */
export function isAfter(a: string, b: string | null): boolean {
  return b === null || BigInt(a) > BigInt(b)
}
