/** Links to the expenses behind a figure. */
import type { RouteLocationRaw } from 'vue-router'
import { expensesLink } from '@/features/expenses/filter/write'

export interface Rows {
  /** A day, a month or a year as the API writes them, or a range of them: 2025-12..2026-11. */
  date: string
  currency: string
  /** A category; null for expenses without one; any if omitted. */
  category?: { name: string } | null
  /** A tag; any if omitted. */
  tag?: string
}

/** Where the list shows exactly those. */
export function rowsLink({ category, ...rows }: Rows): RouteLocationRaw {
  return expensesLink({ ...rows, ...(category !== undefined && { category: category?.name ?? null }) })
}
