/** An expense while it is edited, and what of it has changed. */
import type { Expense } from '@/feed/expense'
import { isDate } from '@/format/date'
import { decimalsOf, toMinor } from '@/format/money'
import type { Command } from '@/outbox/entry'

export type UpdateInput = Extract<Command, { kind: 'update' }>['input']

export interface Draft {
  description: string
  /** Null while it cannot be understood. */
  amount: string | null
  currency: string
  spentOn: string
  categoryId: string | null
  tags: string[]
  notes: string
}

export type DraftError = 'needsDescription' | 'needsAmount' | 'needsDate'

export function draftOf(expense: Expense): Draft {
  return {
    description: expense.description,
    amount: expense.amount.amount,
    currency: expense.amount.currency,
    spentOn: expense.spentOn,
    categoryId: expense.category?.id ?? null,
    tags: [...expense.tags],
    notes: expense.notes ?? '',
  }
}

/** The first thing that is missing, and where. */
export function errorOf(draft: Draft): { field: keyof Draft; error: DraftError } | null {
  if (!draft.description.trim()) return { field: 'description', error: 'needsDescription' }
  const minor = draft.amount === null ? null : toMinor(draft.amount, decimalsOf(draft.currency))
  if (minor === null || minor === 0n) return { field: 'amount', error: 'needsAmount' }
  if (!isDate(draft.spentOn)) return { field: 'spentOn', error: 'needsDate' }
  return null
}

/** The fields that differ, as an update of what was edited; null where none does. */
export function changesOf(base: Expense, draft: Draft): UpdateInput | null {
  const input: UpdateInput = { id: base.id, expectedVersion: base.version }
  const description = draft.description.trim()
  const notes = draft.notes.trim() || null
  if (description !== base.description) input.description = description
  if (draft.amount !== null && !sameAmount(draft, base)) input.amount = draft.amount
  if (draft.currency !== base.amount.currency) input.currency = draft.currency
  if (draft.spentOn !== base.spentOn) input.spentOn = draft.spentOn
  if (draft.categoryId !== (base.category?.id ?? null)) input.categoryId = draft.categoryId
  if (!sameList(draft.tags, base.tags)) input.tags = draft.tags.length > 0 ? [...draft.tags] : null
  if (notes !== base.notes) input.notes = notes
  return Object.keys(input).length > 2 ? input : null
}

export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index])
}

/** 12.5 and 12.50 are the same; a new currency keeps the number only where it has room for it. */
function sameAmount(draft: Draft, base: Expense): boolean {
  if (draft.amount === null) return true
  const decimals = Math.max(decimalsOf(base.amount.currency), decimalsOf(draft.currency))
  return toMinor(draft.amount, decimals) === toMinor(base.amount.amount, decimals)
}
