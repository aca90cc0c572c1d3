/** Whether what the feed brings changes figures of some days. */
import type { Change, FeedMessage } from '@/feed/feed'
import { ExpenseFields } from '@/feed/fields'
import { readFragment } from '@/graphql/generated'
import { within, type Range } from './period'

export function touches(message: FeedMessage, range: Range): boolean {
  return message.type === 'resync' || message.batch.changes.some((change) => touchesBy(change, range))
}

function touchesBy(change: Change, range: Range): boolean {
  const isIn = (expense: Parameters<typeof dayOf>[0]) => within(range, dayOf(expense))
  switch (change.__typename) {
    case 'ExpenseAdded':
    case 'ExpenseDeleted':
    case 'ExpenseRestored':
      return isIn(change.expense)
    case 'ExpenseUpdated':
      return isIn(change.expense) || isIn(change.before)
    // New names and colours; and a deleted category's expenses are elsewhere now.
    case 'CategoryUpdated':
    case 'CategoryDeleted':
      return true
    default:
      return false
  }
}

type MaskedExpense = Extract<Change, { __typename: 'ExpenseAdded' }>['expense']

function dayOf(expense: MaskedExpense): string {
  return readFragment(ExpenseFields, expense).spentOn
}
