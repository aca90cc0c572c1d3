/** What a batch of changes did, ready to be told in words. */
import { CategoryFields, ExpenseFields } from '@/feed/fields'
import type { Expense } from '@/feed/expense'
import type { Batch, Change } from '@/feed/feed'
import type { Money } from '@/format/money'
import { readFragment } from '@/graphql/generated'

export const DEED_KINDS = [
  'added',
  'updated',
  'deleted',
  'restored',
  'categoryAdded',
  'categoryUpdated',
  'categoryDeleted',
] as const
export type DeedKind = (typeof DEED_KINDS)[number]

/** The fields of an expense that a person can change, in the order in which they are told. */
export const EDITABLE = ['description', 'amount', 'spentOn', 'category', 'notes', 'tags'] as const
export type Editable = (typeof EDITABLE)[number]

/** One change. */
export interface Deed {
  kind: DeedKind
  /** Of the expense or category. */
  id: string
  /** What it is called; null where only its id is known. */
  name: string | null
  money: Money | null
  /** What an update changed. */
  fields: readonly Editable[]
}

export function deedsOf(batch: Pick<Batch, 'changes'>): Deed[] {
  return batch.changes.map(deedOf)
}

function deedOf(change: Change): Deed {
  switch (change.__typename) {
    case 'ExpenseAdded':
      return ofExpense('added', readFragment(ExpenseFields, change.expense))
    case 'ExpenseDeleted':
      return ofExpense('deleted', readFragment(ExpenseFields, change.expense))
    case 'ExpenseRestored':
      return ofExpense('restored', readFragment(ExpenseFields, change.expense))
    case 'ExpenseUpdated': {
      const [now, before] = [readFragment(ExpenseFields, change.expense), readFragment(ExpenseFields, change.before)]
      return { ...ofExpense('updated', now), fields: EDITABLE.filter((field) => differs(now[field], before[field])) }
    }
    case 'CategoryAdded':
      return ofCategory('categoryAdded', readFragment(CategoryFields, change.category))
    case 'CategoryUpdated':
      return ofCategory('categoryUpdated', readFragment(CategoryFields, change.category))
    case 'CategoryDeleted':
      return { kind: 'categoryDeleted', id: change.categoryId, name: null, money: null, fields: [] }
  }
}

function ofExpense(kind: DeedKind, { id, description, amount }: Expense): Deed {
  return { kind, id, name: description, money: amount, fields: [] }
}

function ofCategory(kind: DeedKind, { id, name }: { id: string; name: string }): Deed {
  return { kind, id, name, money: null, fields: [] }
}

/** Values of the API are plain data with their fields in one order. */
function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b)
}
