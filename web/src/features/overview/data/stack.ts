/** Months as stacks of categories. */
import { categoryKey, sumOf, type CategoryRef, type MonthTotal } from './rows'

/** Categories that are told apart; the rest are others. */
const TOP = 7

export interface Layer {
  key: string
  /** Null for expenses without one, and for the others. */
  category: CategoryRef | null
  /** True for the one that stands for all the rest. */
  others: boolean
  /** One for each month. */
  values: bigint[]
}

export interface Stack {
  months: readonly string[]
  /** The largest first, the others last. */
  layers: Layer[]
  /** One for each month. */
  totals: bigint[]
}

export function stack(rows: readonly MonthTotal[], months: readonly string[]): Stack {
  const place = new Map(months.map((month, index) => [month, index]))
  const all = new Map<string, Layer>()
  for (const { month, category, total } of rows) {
    const index = place.get(month)
    if (index === undefined) continue
    const key = categoryKey(category)
    const layer = all.get(key) ?? { key, category, others: false, values: months.map(() => 0n) }
    layer.values[index] = (layer.values[index] ?? 0n) + total
    all.set(key, layer)
  }
  const sorted = [...all.values()].sort(byTotal)
  // One more than the most needs no others: it would be alone in there.
  const top = sorted.length > TOP + 1 ? sorted.slice(0, TOP) : sorted
  const rest = sorted.slice(top.length)
  const others = { key: 'others', category: null, others: true, values: added(rest, months.length) }
  return { months, layers: rest.length > 0 ? [...top, others] : top, totals: added(sorted, months.length) }
}

function added(layers: readonly Layer[], length: number): bigint[] {
  return Array.from({ length }, (_, index) => sumOf(layers.map(({ values }) => values[index] ?? 0n)))
}

function byTotal(a: Layer, b: Layer): number {
  const [first, second] = [sumOf(a.values), sumOf(b.values)]
  if (first !== second) return first > second ? -1 : 1
  return (a.category?.name ?? '').localeCompare(b.category?.name ?? '')
}
