/**
 * The part of a list that has been loaded: its newest rows, down to where the pages have come. Pages are added at its
 * end, changes anywhere; both in any order, because what they bring says by its revision what is newer.
 */
import type { Expense } from '@/feed/expense'
import { isAfter, type Batch } from '@/feed/feed'
import { CategoryFields, ExpenseFields } from '@/feed/fields'
import { readFragment } from '@/graphql/generated'

/** Where a row stands: newest day first, and the id decides between equals. */
export interface Position {
  readonly spentOn: string
  readonly id: string
}

export interface Loaded {
  /** In the order of the list. */
  readonly rows: readonly Expense[]
  /** The last position that the pages have reached; null where they have reached the end of the list. */
  readonly end: Position | null
  /** Every change up to this revision is in. */
  readonly revision: string
}

export interface Page {
  readonly rows: readonly Expense[]
  /** True where the list goes on behind it. */
  readonly more: boolean
  readonly revision: string
}

/** What a list wants to know of an expense. */
export interface Terms {
  /** True where the expense belongs to the list. */
  accepts: (expense: Expense) => boolean
  /** True where it depends on the category of an expense whether it belongs to the list. */
  byCategory: boolean
  /** The category with an id, where another's expenses have moved to it. */
  category: (id: string) => Expense['category']
}

/** Negative where `a` comes first. */
export function inOrder(a: Position, b: Position): number {
  if (a.spentOn !== b.spentOn) return a.spentOn > b.spentOn ? -1 : 1
  if (a.id === b.id) return 0
  return a.id > b.id ? -1 : 1
}

/** True where the pages have come as far as that position. */
export function reaches(loaded: Pick<Loaded, 'end'>, position: Position): boolean {
  return loaded.end === null || inOrder(position, loaded.end) <= 0
}

/** Adds the page behind what is loaded, or begins with it. The revision stays: older pages must catch up first. */
export function withPage(loaded: Loaded | null, page: Page): Loaded {
  const last = page.rows.at(-1)
  const end = page.more && last ? { spentOn: last.spentOn, id: last.id } : null
  if (!loaded) return { rows: page.rows, end, revision: page.revision }
  // A row that has moved while the pages came would be here twice.
  const fresh = new Map(page.rows.map((row) => [row.id, row]))
  const kept = loaded.rows.filter((row) => {
    const other = fresh.get(row.id)
    if (!other) return true
    if (!isAfter(row.revision, other.revision)) return false
    fresh.delete(row.id)
    return true
  })
  return { rows: merge(kept, [...fresh.values()]), end, revision: loaded.revision }
}

export interface Outcome {
  loaded: Loaded
  /** Rows that came in or look different now. */
  touched: Set<string>
  /** True where the changes do not tell what belongs to the list now: it must be read again. */
  unclear: boolean
}

/** Applies changes. Those that the rows have already do nothing. */
export function withBatches(loaded: Loaded, batches: readonly Batch[], terms: Terms): Outcome {
  const touched = new Set<string>()
  let unclear = false
  let rows = loaded.rows
  let revision = loaded.revision
  let newest: Newest = new Map()

  function settle() {
    if (newest.size === 0) return
    rows = withNewest(rows, newest, (expense) => terms.accepts(expense) && reaches(loaded, expense), touched)
    newest = new Map()
  }

  for (const batch of batches) {
    for (const change of batch.changes) {
      switch (change.__typename) {
        case 'CategoryAdded':
          break
        case 'CategoryUpdated': {
          settle()
          const { id, name, color } = readFragment(CategoryFields, change.category)
          rows = recategorised(rows, id, { id, name, color }, touched)
          break
        }
        case 'CategoryDeleted':
          settle()
          rows = recategorised(rows, change.categoryId, change.mergedInto ? terms.category(change.mergedInto) : null, touched)
          unclear ||= terms.byCategory
          break
        default: {
          const expense = readFragment(ExpenseFields, change.expense)
          newest.set(expense.id, { expense: compact(expense), revision: batch.revision })
        }
      }
    }
    if (isAfter(batch.revision, revision)) revision = batch.revision
  }
  settle()
  return { loaded: { rows, end: loaded.end, revision }, touched, unclear }
}

/** Changed expenses by id, with the revision that changed them. */
type Newest = Map<string, { expense: Expense; revision: string }>
/** So few changes are looked for one by one. */
const FEW = 32

function withNewest(
  rows: readonly Expense[],
  newest: Newest,
  belongs: (expense: Expense) => boolean,
  touched: Set<string>,
): readonly Expense[] {
  const kept = newest.size <= FEW ? withoutFew(rows, newest) : withoutMany(rows, newest)
  const incoming = [...newest.values()].map(({ expense }) => expense).filter(belongs)
  for (const { id } of incoming) touched.add(id)
  return merge(kept, incoming)
}

/** The rows without those that change; changes that are older than their rows are dropped. */
function withoutMany(rows: readonly Expense[], newest: Newest): readonly Expense[] {
  return rows.filter((row) => {
    const change = newest.get(row.id)
    if (!change) return true
    if (isAfter(change.revision, row.revision)) return false
    newest.delete(row.id)
    return true
  })
}

/** The same, without looking up each of a hundred thousand rows. */
function withoutFew(rows: readonly Expense[], newest: Newest): readonly Expense[] {
  let kept: Expense[] | null = null
  for (const [id, { expense, revision }] of newest) {
    let index = indexOf(kept ?? rows, expense)
    if (index < 0) index = (kept ?? rows).findIndex((row) => row.id === id)
    const row = (kept ?? rows)[index]
    if (!row) continue
    if (isAfter(revision, row.revision)) {
      kept ??= [...rows]
      kept.splice(index, 1)
    } else newest.delete(id)
  }
  return kept ?? rows
}

function recategorised(
  rows: readonly Expense[],
  from: string,
  to: Expense['category'],
  touched: Set<string>,
): readonly Expense[] {
  let changed = false
  const next = rows.map((row) => {
    if (row.category?.id !== from) return row
    changed = true
    touched.add(row.id)
    return { ...row, category: to }
  })
  return changed ? next : rows
}

/** Puts rows in their places among others that are in order. */
export function merge(rows: readonly Expense[], incoming: readonly Expense[]): readonly Expense[] {
  if (incoming.length === 0) return rows
  const sorted = [...incoming].sort(inOrder)
  const [first] = sorted
  const last = rows.at(-1)
  if (!last || (first && inOrder(last, first) < 0)) return [...rows, ...sorted]
  if (sorted.length <= FEW) {
    const spliced = [...rows]
    for (const row of sorted) spliced.splice(placeOf(spliced, row), 0, row)
    return spliced
  }
  const merged: Expense[] = []
  let next = 0
  for (const row of rows) {
    for (let other = sorted[next]; other && inOrder(other, row) < 0; other = sorted[next]) {
      merged.push(other)
      next += 1
    }
    merged.push(row)
  }
  return merged.concat(sorted.slice(next))
}

/** The place of a row, or -1. */
export function indexOf(rows: readonly Position[], position: Position): number {
  const place = placeOf(rows, position)
  return rows[place]?.id === position.id && rows[place]?.spentOn === position.spentOn ? place : -1
}

/** The first place that does not come before a position. */
function placeOf(rows: readonly Position[], position: Position): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]
    if (row && inOrder(row, position) < 0) low = middle + 1
    else high = middle
  }
  return low
}

const categories = new Map<string, NonNullable<Expense['category']>>()
const NO_TAGS: string[] = []
const days = new Map<string, string>()
/** Most that are shared between rows; a ledger has some dozens of categories, and a life some ten thousand days. */
const MAX_SHARED = 20_000

/** The same expense with what many have in common kept once: a hundred thousand of them are in memory. */
export function compact(expense: Expense): Expense {
  return {
    ...expense,
    spentOn: sharedDay(expense.spentOn),
    category: expense.category && shared(expense.category),
    tags: expense.tags.length === 0 ? NO_TAGS : expense.tags,
    updatedAt: expense.updatedAt === expense.createdAt ? expense.createdAt : expense.updatedAt,
  }
}

function shared(category: NonNullable<Expense['category']>): NonNullable<Expense['category']> {
  const key = `${category.id} ${category.color ?? ''} ${category.name}`
  let one = categories.get(key)
  if (!one) {
    if (categories.size >= MAX_SHARED) categories.clear()
    categories.set(key, (one = { id: category.id, name: category.name, color: category.color }))
  }
  return one
}

/** Days that are the same text in memory are compared at a glance. */
function sharedDay(day: string): string {
  const one = days.get(day)
  if (one !== undefined) return one
  if (days.size >= MAX_SHARED) days.clear()
  days.set(day, day)
  return day
}
