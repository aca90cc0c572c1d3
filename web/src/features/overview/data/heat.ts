/** A year's days, by how much was spent on each. */
import { addMonths, firstDay, lastDay, noon, type CalendarDate, type CalendarMonth } from '@/format/date'
import { daysOf } from '../period'
import type { DayTotal } from './rows'

/** Of a hundred days on which something was spent, so many are in each shade or a lighter one. */
const PARTS = [40, 70, 90]
/** Shades of days on which something was spent. */
export const SHADES = PARTS.length + 1

export interface HeatDay {
  date: CalendarDate
  total: bigint
  count: number
  /** 0: nothing spent; up to `SHADES`: the most. */
  shade: number
}

export interface HeatMonth {
  month: CalendarMonth
  /** Days of the week before the first. */
  lead: number
  days: HeatDay[]
}

export interface Heat {
  months: HeatMonth[]
  /** The most that is spent on a day of each shade but the last. */
  bounds: bigint[]
}

/** The months of the year up to that one. Weeks begin with a day from 1, Monday, to 7. */
export function heat(days: readonly DayTotal[], lastMonth: CalendarMonth, weekBegins: number): Heat {
  const first = `${lastMonth.slice(0, 4)}-01`
  const shown = days.filter(({ day }) => day >= firstDay(first) && day <= lastDay(lastMonth))
  const bounds = boundsOf(shown)
  const byDay = new Map(shown.map((each) => [each.day, each]))
  const months: HeatMonth[] = []
  for (let month = first; month <= lastMonth; month = addMonths(month, 1)) {
    months.push({
      month,
      lead: (noon(firstDay(month)).getUTCDay() - weekBegins + 7) % 7,
      days: daysOf({ from: firstDay(month), to: lastDay(month) }).map((date) => {
        const { total = 0n, count = 0 } = byDay.get(date) ?? {}
        return { date, total, count, shade: shadeOf(total, bounds) }
      }),
    })
  }
  return { months, bounds }
}

/** By rank: a few large days must not make all others look alike. */
function boundsOf(days: readonly DayTotal[]): bigint[] {
  const totals = days.map(({ total }) => total).filter((total) => total > 0n)
  totals.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return PARTS.map((part) => totals[Math.ceil((totals.length * part) / 100) - 1] ?? 0n)
}

function shadeOf(total: bigint, bounds: readonly bigint[]): number {
  return total <= 0n ? 0 : 1 + bounds.filter((bound) => total > bound).length
}
