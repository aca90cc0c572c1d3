import { describe, expect, it } from 'vitest'
import { dayOf, layoutOf, lineAt, lineOf } from './layout'
import { expense } from './testing'

const rows = [
  expense('e', { spentOn: '2026-11-22' }),
  expense('d', { spentOn: '2026-11-22' }),
  expense('c', { spentOn: '2026-11-20' }),
  expense('b', { spentOn: '2026-11-19' }),
  expense('a', { spentOn: '2026-11-19' }),
]

describe('the lines of a list', () => {
  const layout = layoutOf(rows)

  it('begin every day with its head', () => {
    const lines = Array.from({ length: layout.count }, (_, line) => lineAt(layout, line))
    expect(lines.map((line) => (line?.kind === 'day' ? line.day.date : line?.row))).toEqual([
      '2026-11-22', 0, 1, '2026-11-20', 2, '2026-11-19', 3, 4,
    ])
    expect(lineAt(layout, 8)).toBeNull()
  })

  it('are found from their rows', () => {
    for (const [row] of rows.entries()) expect(lineAt(layout, lineOf(layout, row))).toEqual({ kind: 'row', row })
    expect(lineOf(layout, 5)).toBe(-1)
    expect(dayOf(layout, 3)).toMatchObject({ date: '2026-11-19', start: 3, end: 5 })
  })

  it('are none without rows', () => {
    expect(layoutOf([])).toMatchObject({ count: 0, days: [] })
  })
})
