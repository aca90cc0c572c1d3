/** The colours of a page's charts: categories that share a colour get shades of it. */
import { categoryColor } from '@/components/category-color'
import { categoryKey, type CategoryRef } from './rows'

/** What a shared colour is mixed with, for the second, the third, and the fourth that has it, and how much. */
const SHADES: readonly [string, number][] = [
  ['#ffffff', 0.45],
  ['#000000', 0.35],
  ['#ffffff', 0.7],
]

/** The colour of each category by its key. The same categories always get the same colours. */
export function chartColors(categories: readonly (CategoryRef | null)[]): ReadonlyMap<string, string> {
  const distinct = new Map(categories.flatMap((category) => (category ? [[category.id, category]] : [])))
  const used = new Map<string, number>()
  const colors = new Map<string, string>()
  for (const category of [...distinct.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const color = categoryColor(category).toLowerCase()
    const times = used.get(color) ?? 0
    used.set(color, times + 1)
    const [other, part] = SHADES[(times - 1) % SHADES.length] ?? [color, 0]
    colors.set(categoryKey(category), times === 0 ? color : mixed(color, other, part))
  }
  return colors
}

/** A colour with that part of another; both as #rrggbb. */
export function mixed(color: string, other: string, part: number): string {
  const [from, to] = [channels(color), channels(other)]
  return `#${from.map((value, index) => hex(value + ((to[index] ?? value) - value) * part)).join('')}`
}

function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16))
}

function hex(value: number): string {
  return Math.round(value).toString(16).padStart(2, '0')
}
