import { expect, it } from 'vitest'
import type { MonthTotal } from './rows'
import { stack } from './stack'

const MONTHS = ['2026-10', '2026-11']
const row = (name: string | null, month: string, total: bigint): MonthTotal => ({
  month,
  category: name === null ? null : { id: name, name, color: null },
  total,
  count: 1,
})

it('has a value for every month, also where there is none', () => {
  const { layers, totals } = stack([row('Food', '2026-11', 5n), row(null, '2026-10', 3n), row('Food', '2025-01', 9n)], MONTHS)
  expect(layers.map(({ key, values }) => [key, values])).toEqual([
    ['Food', [0n, 5n]],
    ['none', [3n, 0n]],
  ])
  expect(totals).toEqual([3n, 5n])
})

it('tells seven apart and adds up the others', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  const rows = names.map((name, index) => row(name, '2026-11', BigInt(100 - index)))
  const { layers, totals } = stack([...rows, row('h', '2026-10', 1n)], MONTHS)
  expect(layers.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'others'])
  expect(layers.at(-1)).toMatchObject({ others: true, values: [1n, 93n + 92n] })
  expect(totals).toEqual([1n, 864n])
})

it('does not hide a single one behind others', () => {
  const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => row(name, '2026-11', 1n))
  expect(stack(rows, MONTHS).layers.some(({ others }) => others)).toBe(false)
})
