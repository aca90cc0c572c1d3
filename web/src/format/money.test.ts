import { describe, expect, it } from 'vitest'
import { decimalsOf, formatMoney, fromMinor, sum, toMinor } from './money'

describe('money', () => {
  it('is formatted exactly, however long', () => {
    expect(formatMoney({ amount: '1234.50', currency: 'EUR' })).toBe('€1,234.50')
    expect(formatMoney({ amount: '9999999999999.99', currency: 'EUR' })).toBe('€9,999,999,999,999.99')
    expect(formatMoney({ amount: '-12', currency: 'JPY' })).toBe('-¥12')
    expect(formatMoney({ amount: '1.234', currency: 'KWD' })).toMatch(/1\.234$/)
  })

  it('is counted in whole smallest units', () => {
    expect(toMinor('12.5', 2)).toBe(1250n)
    expect(toMinor('-0.01', 2)).toBe(-1n)
    expect(toMinor('12.500', 2)).toBe(1250n)
    expect(toMinor('12.505', 2)).toBeNull()
    expect(toMinor('1e3', 2)).toBeNull()
    expect(fromMinor(-1n, 2)).toBe('-0.01')
    expect(fromMinor(1250n, 0)).toBe('1250')
    expect(decimalsOf('EUR')).toBe(2)
    expect(decimalsOf('JPY')).toBe(0)
    expect(['HUF', 'IDR', 'IQD', 'CLF'].map(decimalsOf)).toEqual([2, 2, 3, 4])
  })

  it('adds up without error', () => {
    expect(sum(['0.1', '0.2'])).toBe('0.3')
    expect(sum(['999999999999999.99', '0.01'])).toBe('1000000000000000.00')
    expect(sum([])).toBe('0')
  })
})
