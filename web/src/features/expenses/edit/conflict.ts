/** An edit that met another person's: both side by side, and what to save of them. */
import type { Expense } from '@/feed/expense'
import type { Terms } from '../list/loaded'
import { patched } from '../list/overlay'
import { sameList, type UpdateInput } from './draft'

/** What is chosen between: an amount and its currency belong together. */
export const CONFLICT_FIELDS = ['description', 'amount', 'spentOn', 'category', 'tags', 'notes'] as const
export type ConflictField = (typeof CONFLICT_FIELDS)[number]
export type Side = 'mine' | 'theirs'
export type Choices = Record<ConflictField, Side>

export interface Sides {
  readonly mine: Expense
  readonly theirs: Expense
  /** The fields in which they differ. */
  readonly differing: readonly ConflictField[]
}

/** Their version as it is now, and ours: theirs with what we changed. */
export function sidesOf(input: UpdateInput, theirs: Expense, categories: Pick<Terms, 'category'>): Sides {
  const mine = patched(theirs, input, categories)
  return { mine, theirs, differing: differences(mine, theirs) }
}

/** The fields in which two versions differ. */
export function differences(a: Expense, b: Expense): ConflictField[] {
  return CONFLICT_FIELDS.filter((field) => !same(field, a, b))
}

/** What to save: our choice on top of their version; null where that is theirs as it stands. */
export function resolved(input: UpdateInput, { theirs, differing }: Sides, choices: Choices): UpdateInput | null {
  const taken = differing.filter((field) => choices[field] === 'mine')
  if (taken.length === 0) return null
  const next: UpdateInput = { id: theirs.id, expectedVersion: theirs.version }
  for (const field of taken) {
    if (field === 'description') next.description = input.description
    else if (field === 'spentOn') next.spentOn = input.spentOn
    else if (field === 'category') next.categoryId = input.categoryId
    else if (field === 'tags') next.tags = input.tags
    else if (field === 'notes') next.notes = input.notes
    else {
      if (input.amount !== undefined) next.amount = input.amount
      if (input.currency !== undefined) next.currency = input.currency
    }
  }
  return next
}

function same(field: ConflictField, a: Expense, b: Expense): boolean {
  switch (field) {
    case 'amount':
      return a.amount.amount === b.amount.amount && a.amount.currency === b.amount.currency
    case 'category':
      return (a.category?.id ?? null) === (b.category?.id ?? null)
    case 'tags':
      return sameList(a.tags, b.tags)
    default:
      return a[field] === b[field]
  }
}
