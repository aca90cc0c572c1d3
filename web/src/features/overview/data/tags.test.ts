import { describe, expect, it } from 'vitest'
import { MAX_TAGS, tagTotals } from './tags'

const row = (tag: string | null, minorUnits: string) => ({ tag, total: { minorUnits }, count: 1 })

describe('by tag', () => {
  it('is the largest first, each with its share of the category', () => {
    const { shown } = tagTotals([row(null, '100'), row('trip', '700'), row('work', '250')], 1000n)
    expect(shown.map(({ tag, tenths, width }) => [tag, tenths, width])).toEqual([
      ['trip', 700n, 70],
      ['work', 250n, 25],
      [null, 100n, 10],
    ])
  })

  it('draws no bar longer than there is room, and none of a refund', () => {
    const { shown } = tagTotals([row('a', '1500'), row('b', '-500')], 1000n)
    expect(shown.map(({ tenths, width }) => [tenths, width])).toEqual([
      [1500n, 100],
      [null, 0],
    ])
  })

  it('says nothing where nothing is tagged, and how many are left out', () => {
    expect(tagTotals([row(null, '5')], 5n)).toEqual({ shown: [], more: 0 })
    const many = Array.from({ length: MAX_TAGS + 3 }, (_, index) => row(`t${index}`, '1'))
    expect(tagTotals(many, 15n).more).toBe(3)
  })
})
