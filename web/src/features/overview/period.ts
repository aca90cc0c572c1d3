/** The period that the overview shows: a month, or a year. */
import { addDays, addMonths, firstDay, lastDay, monthOf, type CalendarDate, type CalendarMonth } from '@/format/date'

/** What expenses may be dated. */
const FIRST_YEAR = 1900
const LAST_YEAR = 2200
/** Months that the average line is made of. */
export const AVERAGED_MONTHS = 6
/** Months of the stacked bars. */
const BAR_MONTHS = 12

export interface Period {
  kind: 'month' | 'year'
  /** As the API and the query language write it: 2026-11, or 2026. */
  key: string
}

/** Days from the first to the last, both included. */
export interface Range {
  from: CalendarDate
  to: CalendarDate
}

/** The days that are compared with each other. */
export interface Comparison {
  now: Range
  before: Range
}

export function monthPeriod(month: CalendarMonth): Period {
  return { kind: 'month', key: month }
}

export function yearPeriod(year: string | number): Period {
  return { kind: 'year', key: String(year) }
}

/** The period that the address names; the month of today where it names none, or none that there is. */
export function parsePeriod({ month, year }: { month?: unknown; year?: unknown }, today: CalendarDate): Period {
  if (typeof month === 'string' && /^\d{4}-(0[1-9]|1[0-2])$/.test(month) && exists(monthPeriod(month))) {
    return monthPeriod(month)
  }
  if (typeof year === 'string' && /^\d{4}$/.test(year) && exists(yearPeriod(year))) return yearPeriod(year)
  return monthPeriod(monthOf(today))
}

/** True for a period that expenses may be in. */
export function exists({ key }: Period): boolean {
  const year = Number(key.slice(0, 4))
  return year >= FIRST_YEAR && year <= LAST_YEAR
}

/** The period that many steps later, or earlier if negative. */
export function shifted({ kind, key }: Period, steps: number): Period {
  return kind === 'month' ? monthPeriod(addMonths(key, steps)) : yearPeriod(Number(key) + steps)
}

export function rangeOf({ kind, key }: Period): Range {
  return kind === 'month'
    ? { from: firstDay(key), to: lastDay(key) }
    : { from: `${key}-01-01`, to: `${key}-12-31` }
}

export function lastMonthOf({ kind, key }: Period): CalendarMonth {
  return kind === 'month' ? key : `${key}-12`
}

/** The months of the stacked bars, oldest first: the twelve up to the period's last. */
export function barMonths(period: Period): CalendarMonth[] {
  const last = lastMonthOf(period)
  return Array.from({ length: BAR_MONTHS }, (_, index) => addMonths(last, index + 1 - BAR_MONTHS))
}

/** All days that the charts by day need: the calendar's, and those of the periods that are compared. */
export function daysNeeded(period: Period): Range {
  const { from, to } = rangeOf(period)
  if (period.kind === 'year') return { from: rangeOf(shifted(period, -1)).from, to }
  const averaged = firstDay(addMonths(period.key, -AVERAGED_MONTHS))
  const yearBegins = `${from.slice(0, 4)}-01-01`
  return { from: averaged < yearBegins ? averaged : yearBegins, to }
}

/** Where a day is in its period, for days of different periods to be compared: 22 in a month, 11-22 in a year. */
export function placeIn({ kind }: Period, date: CalendarDate): string {
  return kind === 'month' ? date.slice(8) : date.slice(5)
}

export function isRunning(period: Period, today: CalendarDate): boolean {
  const { from, to } = rangeOf(period)
  return from <= today && today <= to
}

/**
 * The days that are compared with the period before: all of both, or the same days of both while the period runs.
 * Null for a period that has not begun.
 */
export function comparison(period: Period, today: CalendarDate): Comparison | null {
  const now = rangeOf(period)
  const before = rangeOf(shifted(period, -1))
  if (now.from > today) return null
  if (!isRunning(period, today)) return { now, before }
  // Of a shorter month there may be no such day: its last one then.
  const same = before.from.slice(0, -placeIn(period, today).length) + placeIn(period, today)
  const last = lastDay(monthOf(same))
  return { now: { from: now.from, to: today }, before: { from: before.from, to: same < last ? same : last } }
}

/** How many days. */
export function lengthOf({ from, to }: Range): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1
}

/** Every day, in order. */
export function daysOf({ from, to }: Range): CalendarDate[] {
  return Array.from({ length: lengthOf({ from, to }) }, (_, index) => addDays(from, index))
}

export function within({ from, to }: Range, date: CalendarDate): boolean {
  return from <= date && date <= to
}
