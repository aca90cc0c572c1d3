/** Links to the expenses behind a figure, in the query language of the list. */
import type { RouteLocationRaw } from 'vue-router'

export interface Rows {
  /** A day, a month or a year as the API writes them, or a range of them: 2025-12..2026-11. */
  date: string
  currency: string
  /** A category; null for expenses without one; any if omitted. */
  category?: { name: string } | null
  /** A tag; null for expenses without one; any if omitted. */
  tag?: string
}

/** Where the list shows exactly those. */
export function rowsLink(rows: Rows): RouteLocationRaw {
  return { name: 'expenses', query: { q: rowsQuery(rows) } }
}

export function rowsQuery({ date, currency, category, tag }: Rows): string {
  return [
    ...(category === undefined ? [] : [`cat:${category === null ? 'none' : quoted(category.name)}`]),
    ...(tag === undefined ? [] : [`tag:${quoted(tag)}`]),
    `date:${date}`,
    `currency:${currency}`,
  ].join(' ')
}

/** A word as it is, anything else in quotation marks. */
function quoted(text: string): string {
  if (/^[\p{L}\p{N}_-]+$/u.test(text) && text.toLowerCase() !== 'none') return text
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
