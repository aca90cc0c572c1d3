/** The figures at the top. */
import { comparison, isRunning, lengthOf, rangeOf, within, type Comparison, type Period, type Range } from '../period'
import { sumOf, type DayTotal } from './rows'
import { change, divided } from './shares'

export interface Headline {
  total: bigint
  count: number
  /** Spent a day on average. */
  average: bigint
  /** The days that the average is of: up to today while the period runs. */
  averaged: Range
  trend: (Comparison & { difference: bigint; change: bigint | null }) | null
}

/** Days must hold those of the period and of the one before. */
export function headline(days: readonly DayTotal[], period: Period, today: string): Headline {
  const whole = rangeOf(period)
  const averaged = isRunning(period, today) ? { from: whole.from, to: today } : whole
  const shown = days.filter(({ day }) => within(whole, day))
  const compared = comparison(period, today)
  return {
    total: sumOf(shown.map(({ total }) => total)),
    count: shown.reduce((sum, { count }) => sum + count, 0),
    average: divided(totalOf(days, averaged), BigInt(lengthOf(averaged))),
    averaged,
    trend: compared && trendOf(days, compared),
  }
}

function trendOf(days: readonly DayTotal[], compared: Comparison): Headline['trend'] {
  const now = totalOf(days, compared.now)
  const before = totalOf(days, compared.before)
  return { ...compared, difference: now - before, change: change(now, before) }
}

function totalOf(days: readonly DayTotal[], range: Range): bigint {
  return sumOf(days.filter(({ day }) => within(range, day)).map(({ total }) => total))
}
