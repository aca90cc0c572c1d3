/** A period's expenses by category. */
import { categoryKey, sumOf, type CategoryRef, type MonthTotal } from './rows'
import { shares } from './shares'

/** Slices below this, in tenths of a percent, are too thin to be told apart. */
const THIN = 20n

export interface CategoryTotal {
  category: CategoryRef | null
  total: bigint
  count: number
}

export interface CategoryShare extends CategoryTotal {
  /** In tenths of a percent of all spending. */
  share: bigint
}

export interface Breakdown {
  /** What was spent, the largest first. Their shares add up to 100.0 %. */
  spent: CategoryShare[]
  /** Categories in which as much or more came back: no part of a whole. */
  refunds: CategoryTotal[]
}

/** One slice of the donut. */
export interface Slice {
  /** Null where it stands for several. */
  of: CategoryShare | null
  total: bigint
  share: bigint
}

/** The totals of those months put together by category. */
export function breakdown(rows: readonly MonthTotal[], months: (month: string) => boolean): Breakdown {
  const totals = new Map<string, CategoryTotal>()
  for (const { month, category, total, count } of rows) {
    if (!months(month)) continue
    const key = categoryKey(category)
    const known = totals.get(key) ?? { category, total: 0n, count: 0 }
    totals.set(key, { category, total: known.total + total, count: known.count + count })
  }
  const sorted = [...totals.values()].sort(byTotal)
  const spent = sorted.filter(({ total }) => total > 0n)
  const parts = shares(spent.map(({ total }) => total))
  return {
    spent: spent.map((each, index) => ({ ...each, share: parts[index] ?? 0n })),
    refunds: sorted.filter(({ total }) => total <= 0n).reverse(),
  }
}

/** What is drawn: thin slices are put together as others, at the end. */
export function slices(spent: readonly CategoryShare[]): Slice[] {
  const thin = spent.filter(({ share }) => share < THIN)
  const single = ({ total, share }: CategoryShare, index: number): Slice => ({ of: spent[index] ?? null, total, share })
  if (thin.length < 2) return spent.map(single)
  return [
    ...spent.map(single).filter(({ share }) => share >= THIN),
    { of: null, total: sumOf(thin.map(({ total }) => total)), share: sumOf(thin.map(({ share }) => share)) },
  ]
}

function byTotal(a: CategoryTotal, b: CategoryTotal): number {
  if (a.total !== b.total) return a.total > b.total ? -1 : 1
  return (a.category?.name ?? '').localeCompare(b.category?.name ?? '')
}
