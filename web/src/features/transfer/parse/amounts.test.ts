import { describe, expect, it } from 'vitest'
import { detectDecimalMark, expenseAmount, looksLikeAmount, parseDecimal } from './amounts'

describe('amounts', () => {
  it.each([
    ['12.50', '.', '12.50'],
    ['-$7,971.39', '.', '-7971.39'],
    ['$-7,971.39', '.', '-7971.39'],
    ['(12.50)', '.', '-12.50'],
    ['12.50-', '.', '-12.50'],
    ['+12.50', '.', '12.50'],
    ['−12.50', '.', '-12.50'],
    ['.50', '.', '0.50'],
    ['12.', '.', '12'],
    ['007', '.', '7'],
    ['-0.00', '.', '0.00'],
    ['1,23,456.78', '.', '123456.78'],
    ["CHF 1'234.50", '.', '1234.50'],
    ['1 234,50 €', ',', '1234.50'],
    ['1.234,50', ',', '1234.50'],
    ['1.234.567', ',', '1234567'],
    ['12,50 S', ',', '-12.50'],
    ['12,50 H', ',', '12.50'],
    ['kr. 12,50', ',', '12.50'],
    ['123456789012345678901.23', '.', '123456789012345678901.23'],
  ] as const)('%s with %s is %s', (text, mark, decimal) => {
    expect(parseDecimal(text, mark)).toBe(decimal)
  })

  it.each(['', '-', 'abc', '1.2.3', '12,5', '1,2345.00', '--5', '-5-', '1e5', '12.03.2026', '.', '5 of 6'])(
    '%s is none',
    (text) => {
      expect(parseDecimal(text, '.')).toBeNull()
    },
  )

  it('are no words with numbers', () => {
    expect(looksLikeAmount('12,50 EUR')).toBe(true)
    expect(looksLikeAmount('Invoice 5')).toBe(false)
    expect(looksLikeAmount('1.1.2026')).toBe(false)
  })

  it('have the decimals of their currency and stay within bounds', () => {
    expect(expenseAmount('12.5', 'EUR')).toEqual({ amount: '12.50' })
    expect(expenseAmount('12.500', 'EUR')).toEqual({ amount: '12.50' })
    expect(expenseAmount('12.505', 'EUR')).toEqual({ fault: 'tooManyDecimals' })
    expect(expenseAmount('12.505', 'KWD')).toEqual({ amount: '12.505' })
    expect(expenseAmount('0.00', 'EUR')).toEqual({ fault: 'zero' })
    expect(expenseAmount('-9999999999999.99', 'EUR')).toEqual({ amount: '-9999999999999.99' })
    expect(expenseAmount('10000000000000.00', 'EUR')).toEqual({ fault: 'tooLarge' })
  })

  it('tell their decimal mark by the whole column', () => {
    expect(detectDecimalMark(['1,234', '12,50'])).toBe(',')
    expect(detectDecimalMark(['1.234', '1.234,56'])).toBe(',')
    expect(detectDecimalMark(['-$7,971.39'])).toBe('.')
    expect(detectDecimalMark(['1.234.567'])).toBe(',')
    expect(detectDecimalMark(['1,234', '5'])).toBeNull()
    expect(detectDecimalMark([])).toBeNull()
  })
})
