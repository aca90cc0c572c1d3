/** One expense as each replica's own database holds it, field by field. */
import type { Expense } from '@/feed/expense'

/** The fields that are compared, in the order in which they are shown. */
export const FIELDS = [
  'description',
  'amount',
  'spentOn',
  'category',
  'notes',
  'tags',
  'createdAt',
  'updatedAt',
  'deletedAt',
  'version',
  'revision',
] as const
export type Field = (typeof FIELDS)[number]

/** What a replica answered. */
export type Reading =
  | {
      state: 'read'
      /** Revision of its database at that time. */
      revision: string
      /** Null where it has no such expense. */
      expense: Expense | null
      /** Milliseconds from the question to the answer, as this page sees it. */
      took: number
    }
  | { state: 'down' }
  | { state: 'reading' }

/** A replica and what it answered. */
export interface Version {
  replica: string
  reading: Reading
}

/** The newest version of the expense among those that were read; null where nobody has it. */
export function newestOf(versions: readonly Version[]): Expense | null {
  let newest: Expense | null = null
  for (const { reading } of versions) {
    const expense = reading.state === 'read' ? reading.expense : null
    if (expense && (!newest || BigInt(expense.revision) > BigInt(newest.revision))) newest = expense
  }
  return newest
}

/** True where that copy has another value than the newest one. */
export function differs(expense: Expense | null, newest: Expense | null, field: Field): boolean {
  return JSON.stringify(expense?.[field] ?? null) !== JSON.stringify(newest?.[field] ?? null)
}

/** True where all that answered hold the same; false also as long as fewer than two have. */
export function agree(versions: readonly Version[]): boolean {
  const read = versions.flatMap(({ reading }) => (reading.state === 'read' ? [reading.expense] : []))
  const newest = newestOf(versions)
  return read.length > 1 && read.every((expense) => FIELDS.every((field) => !differs(expense, newest, field)))
}
