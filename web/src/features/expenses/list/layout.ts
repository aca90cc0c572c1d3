/** The lines of the list: a head for each day, and its rows. Small and without objects, because there are many. */
import type { Expense } from '@/feed/expense'

/** One day, and which rows are of it. */
export interface Day {
  readonly date: string
  /** The first row. */
  readonly start: number
  /** Behind the last row. */
  readonly end: number
  /** The line of its head. */
  readonly line: number
}

export interface Layout {
  readonly days: readonly Day[]
  /** How many lines there are. */
  readonly count: number
  /** For each line its row, or for a head the complement of its day. */
  readonly lines: Int32Array
}

export type Line = { kind: 'day'; day: Day; index: number } | { kind: 'row'; row: number }

export function layoutOf(rows: readonly Expense[]): Layout {
  const days: { date: string; start: number; end: number; line: number }[] = []
  // At most one head a row.
  const lines = new Int32Array(rows.length * 2)
  let count = 0
  let day = days[0]
  for (let row = 0; row < rows.length; row += 1) {
    const date = rows[row]?.spentOn ?? ''
    if (day?.date !== date) {
      day = { date, start: row, end: row, line: count }
      lines[count] = ~days.length
      days.push(day)
      count += 1
    }
    day.end = row + 1
    lines[count] = row
    count += 1
  }
  return { days, count, lines }
}

/** What stands in a line. */
export function lineAt(layout: Layout, line: number): Line | null {
  const value = line < layout.count ? layout.lines[line] : undefined
  if (value === undefined) return null
  if (value >= 0) return { kind: 'row', row: value }
  const day = layout.days[~value]
  return day ? { kind: 'day', day, index: ~value } : null
}

/** The day that a row is of. */
export function dayOf(layout: Layout, row: number): Day | null {
  let low = 0
  let high = layout.days.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const day = layout.days[middle]
    if (!day) return null
    if (row < day.start) high = middle - 1
    else if (row >= day.end) low = middle + 1
    else return day
  }
  return null
}

/** The line that a row stands in. */
export function lineOf(layout: Layout, row: number): number {
  const day = dayOf(layout, row)
  return day ? day.line + 1 + row - day.start : -1
}
