import { describe, expect, it } from 'vitest'
import { breakdown, slices } from './categories'
import { sumOf, type MonthTotal } from './rows'

const row = (name: string | null, total: bigint, month = '2026-11', count = 1): MonthTotal => ({
  month,
  category: name === null ? null : { id: name, name, color: null },
  total,
  count,
})
const all = () => true

describe('breakdown', () => {
  it('puts months together, the largest first', () => {
    const rows = [row('Food', 20n), row('Rent', 50n), row('Food', 40n, '2026-10', 2), row(null, 10n), row('Old', 9n, '2025-01')]
    const { spent } = breakdown(rows, (month) => month >= '2026')
    expect(spent.map(({ category, total, count }) => [category?.name, total, count])).toEqual([
      ['Food', 60n, 3],
      ['Rent', 50n, 1],
      [undefined, 10n, 1],
    ])
    expect(spent.map(({ share }) => share)).toEqual([500n, 417n, 83n])
  })

  it('keeps refunds apart, the largest first, out of the shares', () => {
    const { spent, refunds } = breakdown([row('Food', 30n), row('Shoes', -70n), row('Even', 0n)], all)
    expect(spent.map(({ share }) => share)).toEqual([1000n])
    expect(refunds.map(({ category, total }) => [category?.name, total])).toEqual([
      ['Shoes', -70n],
      ['Even', 0n],
    ])
  })
})

describe('slices', () => {
  it('gather what is too thin, and lose nothing', () => {
    const { spent } = breakdown([row('A', 960n), row('B', 15n), row('C', 15n), row('D', 10n)], all)
    const drawn = slices(spent)
    expect(drawn.map(({ of, total, share }) => [of?.category?.name, total, share])).toEqual([
      ['A', 960n, 960n],
      [undefined, 40n, 40n],
    ])
    expect(sumOf(drawn.map(({ share }) => share))).toBe(1000n)
  })

  it('leave a single thin one its name', () => {
    const { spent } = breakdown([row('A', 990n), row('B', 10n)], all)
    expect(slices(spent).map(({ of }) => of?.category?.name)).toEqual(['A', 'B'])
  })
})
