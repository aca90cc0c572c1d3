/** What of a file is there already: rows that were imported before, and rows that look like expenses that are. */
import { fold } from '@/format/fold'
import { inSlices } from '../parse/slices'
import type { Row } from '../parse/rows'
import type { Existing, Operations } from './operations'
import type { Patience } from './patience'

/** Most expenses that are read to compare with. */
export const MAX_COMPARED = 50_000

export interface Comparison {
  /** Numbers of rows that an earlier import of this file added. */
  there: Set<bigint>
  /** Those of them that are in the trash. */
  trashed: Set<bigint>
  /** Numbers of rows that equal an expense that did not come from this file, each of which counts once. */
  alike: Set<bigint>
}

export interface ReadExisting {
  live: Existing[]
  deleted: Existing[]
  /** False where there was too much to read. */
  complete: boolean
}

/** Reads what is there between the first and the last day of the rows. */
export async function readExisting(
  operations: Pick<Operations, 'existing'>,
  patience: Pick<Patience, 'insist'>,
  range: { from: string; to: string },
  signal: AbortSignal,
): Promise<ReadExisting> {
  const found: ReadExisting = { live: [], deleted: [], complete: true }
  for (const deleted of [false, true]) {
    const list = deleted ? found.deleted : found.live
    for (let after: string | null = null; ; ) {
      const page = await patience.insist(() => operations.existing({ ...range, deleted }, after))
      signal.throwIfAborted()
      list.push(...page.nodes)
      after = page.next
      if (after === null) break
      if (found.live.length + found.deleted.length >= MAX_COMPARED) return { ...found, complete: false }
    }
  }
  return found
}

/** Compares by count, not by existence: of three equal rows, one is new where two are there. */
export async function compare(
  rows: readonly Row[],
  idOf: (row: Row) => string,
  { live, deleted }: ReadExisting,
  signal: AbortSignal,
): Promise<Comparison> {
  const result: Comparison = { there: new Set(), trashed: new Set(), alike: new Set() }
  const unmatched = new Map(live.map((expense) => [expense.id, expense]))
  const trash = new Set(deleted.map(({ id }) => id))
  const others: Row[] = []
  await inSlices(
    rows,
    (row) => {
      const id = idOf(row)
      const trashed = trash.has(id)
      if (trashed) result.trashed.add(row.number)
      if (trashed || unmatched.delete(id)) result.there.add(row.number)
      else others.push(row)
    },
    signal,
  )
  const counts = new Map<string, number>()
  await inSlices(
    unmatched.values(),
    (expense) => {
      const key = fingerprint({ ...expense, amount: expense.amount.amount, currency: expense.amount.currency })
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    signal,
  )
  await inSlices(
    others,
    (row) => {
      const key = fingerprint(row)
      const count = counts.get(key) ?? 0
      if (count === 0) return
      result.alike.add(row.number)
      counts.set(key, count - 1)
    },
    signal,
  )
  return result
}

function fingerprint(of: Pick<Row, 'spentOn' | 'amount' | 'currency' | 'description'>): string {
  return [of.spentOn, of.amount, of.currency, fold(of.description.trim()).replace(/\s+/g, ' ')].join('\u001f')
}
