import { expect, it } from 'vitest'
import { monthPeriod } from '../period'
import { headline } from './headline'

const TODAY = '2026-11-22'
const DAYS = [
  { day: '2026-10-10', total: 1000n, count: 2 },
  { day: '2026-10-30', total: 5000n, count: 1 },
  { day: '2026-11-01', total: 1100n, count: 3 },
  { day: '2026-11-25', total: 7000n, count: 1 },
]

it('compares the same days while the month runs, and counts all of it', () => {
  const { total, count, average, trend } = headline(DAYS, monthPeriod('2026-11'), TODAY)
  expect([total, count]).toEqual([8100n, 4])
  // 11.00 over 22 days: what is dated ahead is not spent yet.
  expect(average).toBe(50n)
  expect(trend).toMatchObject({ difference: 100n, change: 100n, before: { to: '2026-10-22' } })
})

it('compares whole months that are over', () => {
  const { average, trend } = headline(DAYS, monthPeriod('2026-10'), TODAY)
  expect(average).toBe(194n)
  expect(trend).toMatchObject({ difference: 6000n, change: null })
})

it('has no trend of a month to come', () => {
  expect(headline(DAYS, monthPeriod('2026-12'), TODAY).trend).toBeNull()
})
