/** How spending adds up over a period, day by day, beside earlier ones. */
import { AVERAGED_MONTHS, daysOf, isRunning, placeIn, rangeOf, shifted, within, type Period } from '../period'
import type { DayTotal } from './rows'
import { divided } from './shares'

export interface Trend {
  /** Where in the period each step is: 01 to 31 in a month, 01-01 to 12-31 in a year. */
  steps: string[]
  /** Spent up to each step; null behind the period's end, and where it is still to come. */
  now: (bigint | null)[]
  before: (bigint | null)[]
  /** Of the months before, where there are any. */
  average: { months: number; values: bigint[] } | null
}

export function trend(days: readonly DayTotal[], period: Period, today: string): Trend {
  const before = shifted(period, -1)
  const own = placesOf(period)
  const steps = [...new Set([...own, ...placesOf(before)])].sort()
  return {
    steps,
    now: cut(cumulative(days, period, steps), steps, lastDrawn(days, period, own, today)),
    before: cut(cumulative(days, before, steps), steps, placesOf(before).at(-1) ?? ''),
    average: period.kind === 'month' ? average(days, period, steps) : null,
  }
}

/** The mean of the months before, beginning with the first of them that has expenses. */
function average(days: readonly DayTotal[], period: Period, steps: string[]): Trend['average'] {
  const earlier = Array.from({ length: AVERAGED_MONTHS }, (_, index) => shifted(period, index - AVERAGED_MONTHS))
  const begins = earlier.findIndex((month) => days.some(({ day }) => within(rangeOf(month), day)))
  if (begins < 0) return null
  const lines = earlier.slice(begins).map((month) => cumulative(days, month, steps))
  const values = steps.map((_, step) => {
    const total = lines.reduce((sum, line) => sum + (line[step] ?? 0n), 0n)
    return divided(total, BigInt(lines.length))
  })
  return { months: lines.length, values }
}

/** The running total of a period at each step; a shorter one keeps its last. */
function cumulative(days: readonly DayTotal[], period: Period, steps: readonly string[]): bigint[] {
  const range = rangeOf(period)
  const byPlace = new Map<string, bigint>()
  for (const { day, total } of days) if (within(range, day)) byPlace.set(placeIn(period, day), total)
  let sum = 0n
  return steps.map((step) => (sum += byPlace.get(step) ?? 0n))
}

function cut(values: readonly bigint[], steps: readonly string[], last: string): (bigint | null)[] {
  return values.map((value, index) => ((steps[index] ?? '') <= last ? value : null))
}

/** A running period is drawn up to today, or up to the last expense that is entered ahead. */
function lastDrawn(days: readonly DayTotal[], period: Period, own: readonly string[], today: string): string {
  if (!isRunning(period, today)) return own.at(-1) ?? ''
  const last = days.findLast(({ day }) => within(rangeOf(period), day))?.day ?? today
  return placeIn(period, last > today ? last : today)
}

function placesOf(period: Period): string[] {
  return daysOf(rangeOf(period)).map((day) => placeIn(period, day))
}
