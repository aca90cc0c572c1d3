import { describe, expect, it } from 'vitest'
import { expense } from './testing'
import { countOf, moneyOf, totalsBetween, totalsOf, withEffects } from './totals'

describe('totals', () => {
  it('are exact, and never mix currencies', () => {
    const rows = [
      expense('a', { amount: '0.10' }),
      expense('b', { amount: '0.20' }),
      expense('c', { amount: '9999999999999.99' }),
      expense('d', { amount: '500', currency: 'JPY' }),
    ]
    expect(moneyOf(totalsBetween(rows, 0, 4))).toEqual([
      { amount: '10000000000000.29', currency: 'EUR' },
      { amount: '500', currency: 'JPY' },
    ])
    expect(moneyOf(totalsBetween(rows, 1, 2))).toEqual([{ amount: '0.20', currency: 'EUR' }])
  })

  it('follow what becomes of expenses', () => {
    const before = totalsOf([{ total: { amount: '10.00', currency: 'EUR', minorUnits: '1000' }, count: 3 }])
    const after = withEffects(before, [
      { before: expense('a', { amount: '4.00' }), after: expense('a', { amount: '4', currency: 'CHF' }) },
      { before: null, after: expense('b', { amount: '1.50' }) },
      { before: expense('c', { amount: '2.00' }), after: null },
    ])
    expect(moneyOf(after)).toEqual([
      { amount: '5.50', currency: 'EUR' },
      { amount: '4.00', currency: 'CHF' },
    ])
    expect(countOf(after)).toBe(3)
  })

  it('have no currency without expenses', () => {
    const totals = totalsBetween([expense('a')], 0, 1)
    expect(withEffects(totals, [{ before: expense('a'), after: null }]).size).toBe(0)
  })
})
