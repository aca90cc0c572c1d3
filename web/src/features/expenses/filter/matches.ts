/** What a filter means, for one expense in memory: the same as on the replicas. */
import Big from 'big.js'
import type { Expense } from '@/feed/expense'
import { words } from '@/format/fold'
import type { ExpenseFilter } from '@/graphql/generated/graphql'

/** Most different words of an expense that are searched. */
const MAX_WORDS = 256

/** What a filter looks at. */
export type Matched = Pick<Expense, 'description' | 'notes' | 'tags' | 'spentOn' | 'deletedAt'> & {
  amount: { amount: string; currency: string }
  category: { id: string } | null
}

/** True where the filter lets the expense through: live ones, unless it asks for deleted ones. */
export function matches(filter: ExpenseFilter, expense: Matched): boolean {
  return (expense.deletedAt !== null) === (filter.deleted ?? false) && letsThrough(filter, expense)
}

function letsThrough(filter: ExpenseFilter, expense: Matched): boolean {
  return (
    matchesText(filter.text ?? '', expense) &&
    matchesCategory(filter, expense.category) &&
    (filter.tags ?? []).every((tag) => expense.tags.includes(tag)) &&
    (!filter.currency || filter.currency === expense.amount.currency) &&
    (!filter.minAmount || new Big(expense.amount.amount).gte(filter.minAmount)) &&
    (!filter.maxAmount || new Big(expense.amount.amount).lte(filter.maxAmount)) &&
    (!filter.spentFrom || expense.spentOn >= filter.spentFrom) &&
    (!filter.spentTo || expense.spentOn <= filter.spentTo) &&
    (filter.and ?? []).every((inner) => letsThrough(inner, expense)) &&
    (!filter.or?.length || filter.or.some((inner) => letsThrough(inner, expense))) &&
    (!filter.not || !letsThrough(filter.not, expense))
  )
}

function matchesText(text: string, expense: Matched): boolean {
  const wanted = words(text)
  // Punctuation alone is found nowhere.
  if (wanted.length === 0) return text.trim() === ''
  const terms = termsOf(expense)
  return wanted.every((word) => terms.some((term) => term.startsWith(word)))
}

/** The words that an expense is found by. Notes come last, so that long ones take nothing from the others. */
function termsOf({ description, tags, notes }: Matched): string[] {
  const found = new Set<string>()
  for (const text of [description, ...tags, notes ?? ''])
    for (const word of words(text)) {
      if (found.size === MAX_WORDS) return [...found]
      found.add(word)
    }
  return [...found]
}

function matchesCategory({ categoryIds, uncategorised }: ExpenseFilter, category: Matched['category']): boolean {
  const ids = categoryIds ?? []
  if (!category) return uncategorised === true || (ids.length === 0 && typeof uncategorised !== 'boolean')
  return ids.length > 0 ? ids.includes(category.id) : uncategorised !== true
}
