/**
 * Sends the rows of a file so that each becomes one expense, however often that is begun anew.
 *
 * Ids come from the file, so a row that is there is refused and known by that. Keys come from the file and from what
 * is sent, so a chunk whose answer was lost is asked about first and sent again under the same key. A cluster remembers
 * refusals, too: what was refused goes on under the key of the next attempt, without the rows that are there.
 */
import type { AddExpenseInput } from '@/graphql/generated/graphql'
import type { UserError } from '@/outbox/entry'
import { fold } from '@/format/fold'
import type { Row } from '../parse/rows'
import type { Chunk } from './chunks'
import { MAX_ATTEMPTS, type Keys } from './keys'
import { NoAnswer, type Operations } from './operations'
import { isHopeless, type Patience } from './patience'

/** What became of a row. */
export interface Tally {
  added: (rows: Row[]) => void
  /** An earlier import of the same file had added them. */
  there: (rows: Row[]) => void
  refused: (row: Row, reason: string) => void
}

export interface Sender {
  operations: Pick<Operations, 'outcome' | 'addExpenses'>
  patience: Pick<Patience, 'insist'>
  keys: Keys
  ledgerId: string
  /** Ids of categories by folded name; what is not there is uncategorised. */
  categoryIds: ReadonlyMap<string, string>
  tally: Tally
}

/** Settles every row of the chunk. Rejects where the person cancels; no row is on its way then. */
export async function sendChunk(sender: Sender, { number, rows }: Chunk): Promise<void> {
  const { operations, patience, keys, ledgerId, tally } = sender
  let rest = rows
  for (let attempt = 0; rest.length > 0; attempt += 1) {
    if (attempt === MAX_ATTEMPTS) {
      for (const row of rest) tally.refused(row, `${MAX_ATTEMPTS} attempts were refused`)
      return
    }
    const expenses = rest.map((row) => inputOf(row, sender))
    const key = keys.chunk(number, JSON.stringify(expenses), attempt)

    const before = await patience.insist(() => operations.outcome(key))
    if (before) {
      if (before.errors.length === 0) return tally.there(rest)
      // Another import was refused. Rows that were there still are; the rest may have been mended since.
      rest = withoutThere(rest, before.errors, tally)
      continue
    }
    try {
      // From here on the key is ours: whatever came of it came of this import.
      const { errors } = await patience.insist(() => operations.addExpenses(key, ledgerId, expenses))
      if (errors.length === 0) return tally.added(rest)
      rest = settleRefused(rest, errors, tally)
    } catch (error) {
      if (!(error instanceof NoAnswer) || !isHopeless(error)) throw error
      // The request as a whole is wrong, as it is with a currency that nobody knows. Halves tell which row it is.
      const [only] = rest
      if (rest.length === 1 && only) return tally.refused(only, error.message)
      const middle = Math.ceil(rest.length / 2)
      await sendChunk(sender, { number, rows: rest.slice(0, middle) })
      return sendChunk(sender, { number, rows: rest.slice(middle) })
    }
  }
}

export function inputOf(row: Row, { keys, categoryIds }: Pick<Sender, 'keys' | 'categoryIds'>) {
  return {
    id: keys.expense(row.number),
    spentOn: row.spentOn,
    description: row.description,
    amount: row.amount,
    currency: row.currency,
    categoryId: (row.category && categoryIds.get(fold(row.category))) ?? null,
    notes: row.notes,
    tags: row.tags,
  } satisfies AddExpenseInput
}

/** Counts the rows that are there; returns the others. */
function withoutThere(rows: Row[], errors: readonly UserError[], tally: Tally): Row[] {
  const taken = new Set(errors.filter(isTakenId).map(indexOf))
  const [there, others] = [true, false].map((is) => rows.filter((_, index) => taken.has(index) === is))
  if (there?.length) tally.there(there)
  return others ?? []
}

/** Settles the rows that the errors are about; returns those that may go on without them. */
function settleRefused(rows: Row[], errors: readonly UserError[], tally: Tally): Row[] {
  const reasons = new Map<Row, string>()
  for (const error of errors) {
    const row = rows[indexOf(error) ?? -1]
    if (isTakenId(error)) continue
    if (row) reasons.set(row, error.message)
    // Used by somebody at the same time, for something else: the next key is free.
    else if (error.code !== 'KEY_REUSED') for (const each of rows) reasons.set(each, error.message)
  }
  const rest = withoutThere(rows, errors, tally)
  return rest.filter((row) => {
    const reason = reasons.get(row)
    if (reason !== undefined) tally.refused(row, reason)
    return reason === undefined
  })
}

/** Position of the expense that an error is about: `["input", "expenses", "3", "amount"]`. */
function indexOf({ field }: UserError): number | null {
  const index = field?.[1] === 'expenses' ? Number(field[2]) : Number.NaN
  return Number.isInteger(index) ? index : null
}

function isTakenId(error: UserError): boolean {
  return error.code === 'ALREADY_EXISTS' && error.field?.at(-1) === 'id' && indexOf(error) !== null
}
