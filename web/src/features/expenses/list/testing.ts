/** Made-up expenses and changes for the tests of lists. */
import type { Expense } from '@/feed/expense'
import type { Batch, Change } from '@/feed/feed'
import { moneyFrom } from './overlay'

export function expense(id: string, fields: Partial<Omit<Expense, 'amount'>> & { amount?: string; currency?: string } = {}): Expense {
  const { amount = '1.00', currency = 'EUR', ...rest } = fields
  return {
    id,
    description: `Expense ${id}`,
    amount: moneyFrom(amount, currency),
    spentOn: '2026-11-22',
    category: null,
    notes: null,
    tags: [],
    createdAt: '2026-11-22T10:00:00Z',
    updatedAt: '2026-11-22T10:00:00Z',
    version: 1,
    revision: '1',
    deletedAt: null,
    ...rest,
  }
}

/** A change as the feed brings it: fragments are only masked to the compiler. */
export function change(
  kind: 'ExpenseAdded' | 'ExpenseUpdated' | 'ExpenseDeleted' | 'ExpenseRestored',
  after: Expense,
  before?: Expense,
): Change {
  return { __typename: kind, expense: after, ...(before && { before }) } as unknown as Change
}

export function categoryUpdated(category: { id: string; name: string; color: string | null }): Change {
  return { __typename: 'CategoryUpdated', category: { ...category, version: 2, expenseCount: 0 } } as unknown as Change
}

export function categoryDeleted(categoryId: string, mergedInto: string | null): Change {
  return { __typename: 'CategoryDeleted', categoryId, mergedInto }
}

export function batch(revision: number, ...changes: Change[]): Batch {
  return { __typename: 'ChangeBatch', revision: String(revision), committedAt: '2026-11-22T10:00:00Z', changes }
}

/** Numbers that look random and are the same at every run. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    state = (state ^ (state >>> 12)) >>> 0
    return state % below
  }
}
