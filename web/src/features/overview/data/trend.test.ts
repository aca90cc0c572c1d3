import { describe, expect, it } from 'vitest'
import { monthPeriod, yearPeriod } from '../period'
import { trend } from './trend'

const day = (date: string, total: bigint) => ({ day: date, total, count: 1 })
const at = (steps: string[], values: readonly (bigint | null)[], step: string) => values[steps.indexOf(step)]

describe('trend', () => {
  it('adds up day by day, a refund down', () => {
    const { steps, now } = trend([day('2026-10-01', 10n), day('2026-10-03', -4n)], monthPeriod('2026-10'), '2026-11-22')
    expect(now.slice(0, 4)).toEqual([10n, 10n, 6n, 6n])
    expect(at(steps, now, '31')).toBe(6n)
  })

  it('ends with its month, and has a step for every day of the longer one', () => {
    const { steps, now, before } = trend([day('2026-01-31', 5n)], monthPeriod('2026-02'), '2026-11-22')
    expect(steps.length).toBe(31)
    expect([at(steps, now, '28'), at(steps, now, '29')]).toEqual([0n, null])
    expect(at(steps, before, '31')).toBe(5n)
    const march = trend([], monthPeriod('2026-03'), '2026-11-22')
    expect([at(march.steps, march.before, '28'), at(march.steps, march.before, '29')]).toEqual([0n, null])
  })

  it('stops today, or at what is entered ahead', () => {
    const today = '2026-11-22'
    const running = trend([day('2026-11-03', 1n)], monthPeriod('2026-11'), today)
    expect([at(running.steps, running.now, '22'), at(running.steps, running.now, '23')]).toEqual([1n, null])
    const ahead = trend([day('2026-11-25', 1n)], monthPeriod('2026-11'), today)
    expect([at(ahead.steps, ahead.now, '25'), at(ahead.steps, ahead.now, '26')]).toEqual([1n, null])
  })

  it('averages the months since the first with expenses, to the nearest unit', () => {
    const { steps, average } = trend(
      [day('2026-08-05', 10n), day('2026-10-31', 7n)],
      monthPeriod('2026-11'),
      '2026-11-22',
    )
    expect(average?.months).toBe(3)
    // 10 / 3, then 17 / 3; August has given its all by the 5th, September has nothing.
    expect([at(steps, average?.values ?? [], '05'), at(steps, average?.values ?? [], '31')]).toEqual([3n, 6n])
    expect(trend([day('2026-11-05', 1n)], monthPeriod('2026-11'), '2026-11-22').average).toBeNull()
  })

  it('lays years over each other by the day of the month, leap or not', () => {
    const { steps, now, before, average } = trend(
      [day('2024-02-29', 2n), day('2024-03-01', 3n), day('2025-03-01', 9n)],
      yearPeriod('2025'),
      '2026-11-22',
    )
    expect(steps.length).toBe(366)
    expect([at(steps, before, '02-29'), at(steps, before, '03-01')]).toEqual([2n, 5n])
    expect([at(steps, now, '02-29'), at(steps, now, '03-01')]).toEqual([0n, 9n])
    expect(average).toBeNull()
  })
})
