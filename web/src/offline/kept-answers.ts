/** Gives the last answer again while no replica answers: for queries that ask for it with `context.keep`. */
import type { Exchange, Operation, OperationResult } from '@urql/core'
import { filter, fromPromise, merge, mergeMap, pipe, share } from 'wonka'
import { remedy } from '@/graphql/errors'
import type { Database } from './database'

/** Most answers that are kept; the oldest go first. */
const MAX_ANSWERS = 100

/** What a kept answer says of itself in `result.extensions`. */
export interface KeptExtension {
  /** When the answer was true, by this machine's clock, in milliseconds. */
  keptAt: number
}

export function keptAnswersExchange(opening: Promise<Database | null>): Exchange {
  return ({ forward }) =>
    (operations$) => {
      const results$ = pipe(operations$, forward, share)
      const kept$ = pipe(
        results$,
        filter(({ operation }) => isKept(operation)),
        mergeMap((result) => fromPromise(keep(opening, result))),
      )
      const others$ = pipe(
        results$,
        filter(({ operation }) => !isKept(operation)),
      )
      return merge([kept$, others$])
    }
}

/** When the data of a result was true, if it is not of now. */
export function keptAt(result: { extensions?: Record<string, unknown> | undefined }): number | null {
  const at = result.extensions?.['keptAt']
  return typeof at === 'number' ? at : null
}

function isKept(operation: Operation): boolean {
  return operation.kind === 'query' && operation.context.keep === true
}

async function keep(opening: Promise<Database | null>, result: OperationResult): Promise<OperationResult> {
  try {
    const database = await opening
    if (!database) return result
    const key = keyOf(result.operation)
    if (!result.error) {
      void store(database, { key, at: Date.now(), data: result.data })
      return result
    }
    const what = remedy(result.error)
    if (what !== 'elsewhere' && what !== 'later') return result
    const answer = await database.get('answers', key)
    if (!answer) return result
    const extensions: KeptExtension = { keptAt: answer.at }
    // Not `stale`: that would promise that a fresh one is on its way.
    return { ...result, error: undefined, data: answer.data, extensions: { ...extensions } }
  } catch {
    // What cannot be kept is only missed while offline.
    return result
  }
}

async function store(database: Database, answer: { key: string; at: number; data: unknown }) {
  try {
    const transaction = database.transaction('answers', 'readwrite')
    await transaction.store.put(answer)
    let surplus = (await transaction.store.count()) - MAX_ANSWERS
    let cursor = surplus > 0 ? await transaction.store.index('at').openCursor() : null
    while (cursor && surplus > 0) {
      await cursor.delete()
      surplus -= 1
      cursor = await cursor.continue()
    }
    await transaction.done
  } catch {
    // As above.
  }
}

function keyOf(operation: Operation): string {
  return String(operation.key)
}
