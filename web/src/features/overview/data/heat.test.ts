import { expect, it } from 'vitest'
import { heat } from './heat'

const day = (date: string, total: bigint) => ({ day: date, total, count: 1 })

it('has every day of the year up to the month', () => {
  const { months } = heat([], '2026-02', 1)
  expect(months.map(({ month, days }) => [month, days.length])).toEqual([
    ['2026-01', 31],
    ['2026-02', 28],
  ])
})

it('begins weeks where people begin them', () => {
  // 1 January 2026 is a Thursday.
  expect(heat([], '2026-01', 1).months[0]?.lead).toBe(3)
  expect(heat([], '2026-01', 7).months[0]?.lead).toBe(4)
})

it('shades by rank, so that one large day does not make the others alike', () => {
  const { months, bounds } = heat(
    [
      day('2025-12-31', 1n),
      day('2026-01-01', 100n),
      day('2026-01-02', 200n),
      day('2026-01-03', 300n),
      day('2026-01-04', 1_000_000n),
      day('2026-01-05', -50n),
    ],
    '2026-01',
    1,
  )
  expect(bounds).toEqual([200n, 300n, 1_000_000n])
  expect(months[0]?.days.slice(0, 6).map(({ shade }) => shade)).toEqual([1, 1, 2, 3, 0, 0])
})
