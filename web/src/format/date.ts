/**
 * Calendar dates. A date of an expense is a text like 2026-11-22 and never becomes an instant in somebody's time zone:
 * where the browser's own functions need one, it is noon in UTC, read in UTC.
 */
import { locale } from './locale'

/** A calendar date as the API writes it: 2026-11-22. */
export type CalendarDate = string
/** A calendar month as the API writes it: 2026-11. */
export type CalendarMonth = string

const formats = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale.value + JSON.stringify(options)
  let made = formats.get(key)
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(locale.value, { timeZone: 'UTC', ...options })))
  return made
}

/** Today where the person is. */
export function today(now = new Date()): CalendarDate {
  return [String(now.getFullYear()).padStart(4, '0'), two(now.getMonth() + 1), two(now.getDate())].join('-')
}

/** That many days later, or earlier if negative. */
export function addDays(date: CalendarDate, days: number): CalendarDate {
  const instant = noon(date)
  instant.setUTCDate(instant.getUTCDate() + days)
  return instant.toISOString().slice(0, 10)
}

/** That many months later, or earlier if negative. */
export function addMonths(month: CalendarMonth, months: number): CalendarMonth {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const count = year * 12 + number - 1 + months
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${two((((count % 12) + 12) % 12) + 1)}`
}

export function monthOf(date: CalendarDate): CalendarMonth {
  return date.slice(0, 7)
}

export function firstDay(month: CalendarMonth): CalendarDate {
  return `${month}-01`
}

export function lastDay(month: CalendarMonth): CalendarDate {
  return addDays(firstDay(addMonths(month, 1)), -1)
}

/** True for a date that exists. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(noon(text).getTime()) && addDays(text, 0) === text
}

/** 22 Nov 2026, as people write it. */
export function shortDate(date: CalendarDate): string {
  return format({ day: 'numeric', month: 'short', year: 'numeric' }).format(noon(date))
}

/** Sunday, 22 November; with the year where it is not this one. */
export function longDate(date: CalendarDate, reference = today()): string {
  const sameYear = date.slice(0, 4) === reference.slice(0, 4)
  return format({
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!sameYear && { year: 'numeric' }),
  }).format(noon(date))
}

/** November 2026. */
export function longMonth(month: CalendarMonth): string {
  return format({ month: 'long', year: 'numeric' }).format(noon(firstDay(month)))
}

/** Nov; with the year where it helps. */
export function shortMonth(month: CalendarMonth, withYear = false): string {
  return format({ month: 'short', ...(withYear && { year: '2-digit' }) }).format(noon(firstDay(month)))
}

/** The time of an instant here: 14:05:09. */
export function time(instant: number | string | Date): string {
  return new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium' }).format(new Date(instant))
}

/** Date and time of an instant here. */
export function dateTime(instant: number | string | Date): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(instant))
}

/** An instant that stands for a date, to be read in UTC only. */
export function noon(date: CalendarDate): Date {
  return new Date(`${date}T12:00:00Z`)
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
