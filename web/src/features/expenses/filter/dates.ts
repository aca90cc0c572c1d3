/** `date:` and what comes after it. */
import { addDays, addMonths, firstDay, isDate, lastDay, monthOf, noon, type CalendarDate } from '@/format/date'
import { readBounds } from './bounds'
import type { Resolved } from './query'

/** A stretch of days, both ends included. */
interface Days {
  from: CalendarDate
  to: CalendarDate
}

/** Longest stretch that `last-` reaches back, in its own unit. */
const MAX_BACK = 9_999

export function resolveDate(value: string, today: CalendarDate): Resolved {
  const bounds = readBounds(value, (text) => readDays(text.toLowerCase(), today))
  if (!bounds) return { problem: 'date' }
  const { least, most } = bounds
  // After a month is after its last day; from a month on is from its first.
  const from = least && (least.inclusive ? least.value.from : addDays(least.value.to, 1))
  const to = most && (most.inclusive ? most.value.to : addDays(most.value.from, -1))
  if (from && to && from > to) return { problem: 'reversed' }
  return { filter: { ...(from && { spentFrom: from }), ...(to && { spentTo: to }) } }
}

/** The days that a text means: `2026`, `2026-q1`, `2026-11`, `2026-11-03`, `3.11.2026`, `last-month`. */
function readDays(text: string, today: CalendarDate): Days | null {
  return calendar(text) ?? relative(text, today)
}

function calendar(text: string): Days | null {
  const [, year, quarter] = /^([12]\d{3})(?:-?q([1-4]))?$/.exec(text) ?? []
  if (year && quarter) return months(`${year}-${String(Number(quarter) * 3 - 2).padStart(2, '0')}`, 3)
  if (year) return { from: `${year}-01-01`, to: `${year}-12-31` }
  if (/^[12]\d{3}-(0[1-9]|1[0-2])$/.test(text)) return months(text, 1)
  const [, day = '', month = '', ofYear] = /^(\d{1,2})\.(\d{1,2})\.([12]\d{3})$/.exec(text) ?? []
  const date = ofYear ? `${ofYear}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : text
  return /^[12]\d{3}-/.test(date) && isDate(date) ? { from: date, to: date } : null
}

function relative(text: string, today: CalendarDate): Days | null {
  const [, count, unit] = /^(?:last-|letzte-)?(\d{1,4})([dwmytj])$/.exec(text) ?? []
  if (count && unit) return back(Math.min(Number(count), MAX_BACK), unit, today)
  const month = monthOf(today)
  const year = Number(today.slice(0, 4))
  switch (text) {
    case 'today':
    case 'heute':
      return { from: today, to: today }
    case 'yesterday':
    case 'gestern':
      return { from: addDays(today, -1), to: addDays(today, -1) }
    case 'week':
    case 'woche':
      return week(today)
    case 'last-week':
    case 'letzte-woche':
      return week(addDays(today, -7))
    case 'month':
    case 'monat':
      return months(month, 1)
    case 'last-month':
    case 'letzter-monat':
      return months(addMonths(month, -1), 1)
    case 'year':
    case 'jahr':
      return years(year, 1)
    case 'last-year':
    case 'letztes-jahr':
      return years(year - 1, 1)
    default:
      return null
  }
}

/** So many days up to today; or so many whole weeks, months or years with this one. */
function back(count: number, unit: string, today: CalendarDate): Days | null {
  if (count === 0) return null
  switch (unit) {
    case 'd':
    case 't':
      return { from: addDays(today, 1 - count), to: today }
    case 'w':
      return { from: addDays(week(today).from, 7 * (1 - count)), to: week(today).to }
    case 'm':
      return months(addMonths(monthOf(today), 1 - count), count)
    default:
      return years(Number(today.slice(0, 4)) - count + 1, count)
  }
}

/** From Monday to Sunday. */
function week(date: CalendarDate): Days {
  const monday = addDays(date, -((noon(date).getUTCDay() + 6) % 7))
  return { from: monday, to: addDays(monday, 6) }
}

function months(first: string, count: number): Days {
  return { from: firstDay(first), to: lastDay(addMonths(first, count - 1)) }
}

function years(first: number, count: number): Days | null {
  return first < 1 ? null : { from: `${pad(first)}-01-01`, to: `${pad(first + count - 1)}-12-31` }
}

function pad(year: number): string {
  return String(year).padStart(4, '0')
}
