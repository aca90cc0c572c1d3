/**
 * Asks until there is an answer. The client has moved to another replica and tried again by then; what is left is to
 * wait a little for a new leader, and after that for the person.
 */
import { reactive, readonly } from 'vue'
import { codeOf, remedy } from '@/graphql/errors'
import { NoAnswer } from './operations'

/** Waits before the person is asked, in milliseconds: longer than the replicas take to elect a leader. */
const WAITS = [250, 500, 1_000, 2_000, 4_000]

/** The person has ended it. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled')
    this.name = 'Cancelled'
  }
}

export type Patience = ReturnType<typeof createPatience>

export function createPatience(wait = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds))) {
  const state = reactive({
    /** Why it stands still; null while it goes on. */
    trouble: null as string | null,
    cancelled: false,
  })
  /** All that wait for the person. */
  let waiting: (() => void)[] = []

  function goOn() {
    state.trouble = null
    const all = waiting
    waiting = []
    for (const done of all) done()
  }

  return {
    state: readonly(state),
    /** Rejects with `Cancelled`, and with what no repetition can mend. */
    async insist<Result>(ask: () => Promise<Result>): Promise<Result> {
      for (let attempt = 0; ; attempt += 1) {
        if (state.cancelled) throw new Cancelled()
        try {
          return await ask()
        } catch (error) {
          if (!(error instanceof NoAnswer) || isHopeless(error)) throw error
          const pause = WAITS[attempt]
          if (pause !== undefined) {
            await wait(pause)
            continue
          }
          state.trouble = error.message
          await new Promise<void>((done) => waiting.push(done))
          attempt = -1
        }
      }
    },
    /** Tries again now. */
    goOn,
    cancel() {
      state.cancelled = true
      goOn()
    },
  }
}

/** True where the request itself is wrong. Who is not let in may be later. */
export function isHopeless(error: NoAnswer): boolean {
  return error.reason !== null && remedy(error.reason) === 'never' && codeOf(error.reason) !== 'FORBIDDEN'
}

/** Does something with every item, so many at the same time, in their order. Ends at the first that rejects. */
export async function eachOf<Item>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<void>) {
  let next = 0
  let failed = false
  async function worker() {
    while (next < items.length && !failed) {
      const item = items[next]
      next += 1
      try {
        if (item !== undefined) await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  // All are waited for: none may go on behind the back of whoever thinks that it has ended.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  const rejected = ends.find((end) => end.status === 'rejected')
  if (rejected) throw rejected.reason
}
