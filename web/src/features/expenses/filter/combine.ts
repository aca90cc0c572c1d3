/** Puts filters together, as flat as it goes: the API has bounds for how many there are and how deep. */
import Big from 'big.js'
import { words } from '@/format/fold'
import type { ExpenseFilter } from '@/graphql/generated/graphql'

/** The API's bounds of one filter as a whole; see ExpenseFilter in the schema. */
const MAX_FILTERS = 32
const MAX_NESTING = 4
const MAX_WORDS = 16
const MAX_CATEGORIES = 1_000
/** And of each part. */
const MAX_TAGS = 20

/** What all of them let through. */
export function allOf(filters: readonly ExpenseFilter[]): ExpenseFilter {
  return filters.reduce<ExpenseFilter>(
    (whole, filter) => merged(whole, filter) ?? { ...whole, and: [...(whole.and ?? []), filter] },
    {},
  )
}

/** What any of them lets through. */
export function anyOf(filters: readonly ExpenseFilter[]): ExpenseFilter {
  return filters.every(isOfCategories)
    ? {
        ...(filters.some(({ categoryIds }) => categoryIds) && {
          categoryIds: [...new Set(filters.flatMap(({ categoryIds }) => categoryIds ?? []))],
        }),
        ...(filters.some(({ uncategorised }) => uncategorised) && { uncategorised: true }),
      }
    : { or: [...filters] }
}

export function noneOf(filter: ExpenseFilter): ExpenseFilter {
  return { not: filter }
}

/** True where the API takes it. */
export function fits(filter: ExpenseFilter): boolean {
  const size = extent(filter)
  return (
    size.filters <= MAX_FILTERS &&
    size.depth <= MAX_NESTING &&
    size.words <= MAX_WORDS &&
    size.categories <= MAX_CATEGORIES &&
    size.tags <= MAX_TAGS
  )
}

/** Both in one; null where each has something to say about the same thing. */
function merged(a: ExpenseFilter, b: ExpenseFilter): ExpenseFilter | null {
  if (isAboutCategory(a) && isAboutCategory(b)) return null
  if ((a.or && b.or) || (a.not && b.not)) return null
  if (a.currency && b.currency && a.currency !== b.currency) return null
  return {
    ...a,
    ...b,
    ...(a.text && b.text && { text: `${a.text} ${b.text}` }),
    ...(a.tags && b.tags && { tags: [...new Set([...a.tags, ...b.tags])] }),
    ...(a.minAmount && b.minAmount && { minAmount: larger(a.minAmount, b.minAmount) }),
    ...(a.maxAmount && b.maxAmount && { maxAmount: larger(a.maxAmount, b.maxAmount, -1) }),
    ...(a.spentFrom && b.spentFrom && { spentFrom: a.spentFrom > b.spentFrom ? a.spentFrom : b.spentFrom }),
    ...(a.spentTo && b.spentTo && { spentTo: a.spentTo < b.spentTo ? a.spentTo : b.spentTo }),
    ...(a.and && b.and && { and: [...a.and, ...b.and] }),
  }
}

/** The larger number of the two; the smaller one for `-1`. */
function larger(a: string, b: string, sign: 1 | -1 = 1): string {
  return new Big(a).cmp(b) === sign ? a : b
}

function isAboutCategory({ categoryIds, uncategorised }: ExpenseFilter): boolean {
  return Boolean(categoryIds) || typeof uncategorised === 'boolean'
}

/** True where it says which categories are meant, and nothing else. */
function isOfCategories(filter: ExpenseFilter): boolean {
  const said = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null)
  return said.every(([key, value]) => key === 'categoryIds' || (key === 'uncategorised' && value === true))
}

interface Extent {
  filters: number
  depth: number
  words: number
  categories: number
  tags: number
}

function extent(filter: ExpenseFilter): Extent {
  const own: Extent = {
    filters: 1,
    depth: 0,
    words: new Set(words(filter.text ?? '')).size,
    categories: filter.categoryIds?.length ?? 0,
    tags: filter.tags?.length ?? 0,
  }
  const inner = [...(filter.and ?? []), ...(filter.or ?? []), ...(filter.not ? [filter.not] : [])]
  return inner.map(extent).reduce(
    (sum, each) => ({
      filters: sum.filters + each.filters,
      depth: Math.max(sum.depth, each.depth + 1),
      words: sum.words + each.words,
      categories: sum.categories + each.categories,
      tags: Math.max(sum.tags, each.tags),
    }),
    own,
  )
}
