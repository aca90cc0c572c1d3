import { describe, expect, it } from 'vitest'
import type { Mapping } from './mapping'
import { isFault, readRow } from './rows'

const MAPPING: Mapping = {
  columns: { date: 0, description: 1, amount: 2, currency: 3, category: 4, notes: 5, tags: 6 },
  dateOrder: 'ymd',
  decimalMark: '.',
  spendingNegative: false,
  currency: 'EUR',
  tagSeparator: ';',
}
const GOOD = ['2024-02-29', ' Café ', '12.5', '', 'Food', ' n\n', 'a; b;a;']

const read = (fields: string[], mapping: Partial<Mapping> = {}, own = false) =>
  readRow({ index: 3, line: 9, fields, closed: true }, { ...MAPPING, ...mapping }, 7, own)
/** The good row with one field changed. */
const withField = (at: number, text: string, mapping: Partial<Mapping> = {}) =>
  read(GOOD.map((field, index) => (index === at ? text : field)), mapping)
const codeOf = (result: ReturnType<typeof read>) => (isFault(result) ? result.code : 'none')

describe('a row', () => {
  it('is read exactly', () => {
    expect(read(GOOD)).toEqual({
      number: 2n,
      line: 9,
      spentOn: '2024-02-29',
      description: 'Café',
      amount: '12.50',
      currency: 'EUR',
      category: 'Food',
      notes: ' n\n',
      tags: ['a', 'b'],
    })
  })

  it('has the sign of what was spent', () => {
    expect(withField(2, '-12.50', { spendingNegative: true })).toMatchObject({ amount: '12.50' })
    expect(withField(2, '12.50', { spendingNegative: true })).toMatchObject({ amount: '-12.50' })
    const two = { columns: { date: 0, description: 1, debit: 2, credit: 3 } }
    expect(withField(2, '-5', two)).toMatchObject({ amount: '5.00' })
    expect(read(['2024-02-29', 'x', '', '7'], two)).toMatchObject({ amount: '-7.00' })
    expect(read(['2024-02-29', 'x', '7', '0.00'], two)).toMatchObject({ amount: '7.00' })
    expect(codeOf(read(['2024-02-29', 'x', '7', '7'], two))).toBe('bothAmounts')
    expect(codeOf(read(['2024-02-29', 'x', '', ''], two))).toBe('noAmount')
  })

  it('loses the guard of formulas where the file is our own', () => {
    expect(read(['2024-01-01', "'=1+1", '1'], {}, true)).toMatchObject({ description: '=1+1' })
    expect(read(['2024-01-01', "'=1+1", '1'])).toMatchObject({ description: "'=1+1" })
    expect(read(['2024-01-01', 'x', '-1'], {}, true)).toMatchObject({ amount: '-1.00' })
  })

  it.each([
    [0, '', 'noDate'],
    [0, '2023-02-29', 'date'],
    [0, '1899-12-31', 'year'],
    [1, ' ', 'noDescription'],
    [1, 'ß'.repeat(256), 'tooLong'],
    [2, '', 'noAmount'],
    [2, 'free', 'notANumber'],
    [2, '0', 'zero'],
    [2, '1.005', 'tooManyDecimals'],
    [3, 'EURO', 'currency'],
    [4, 'x'.repeat(65), 'tooLong'],
    [6, Array.from({ length: 21 }, (_, tag) => tag).join(';'), 'tooManyTags'],
    [6, 'x'.repeat(65), 'tooLong'],
  ])('with field %i as %j is wrong: %s', (at, text, code) => {
    expect(codeOf(withField(at, text))).toBe(code)
  })

  it('counts characters as people do, and shows little of a wrong text', () => {
    expect(codeOf(withField(1, '😀'.repeat(255)))).toBe('none')
    expect(withField(0, 'x'.repeat(100))).toMatchObject({ line: 9, field: 'date', text: 'x'.repeat(40) })
  })

  it('may lack fields at its end and must not have more', () => {
    expect(codeOf(read(GOOD.slice(0, 3)))).toBe('none')
    expect(codeOf(read([...GOOD, '', ' ']))).toBe('none')
    expect(codeOf(read([...GOOD, 'x']))).toBe('tooManyFields')
    expect(codeOf(readRow({ index: 1, line: 2, fields: GOOD, closed: false }, MAPPING, 7, false))).toBe('openQuote')
    expect(codeOf(read(GOOD, { currency: '' }))).toBe('noCurrency')
  })
})
