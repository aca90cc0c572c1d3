import { describe, expect, it } from 'vitest'
import { detectDelimiter } from './delimiter'
import { guard, isOwnLayout, splitTags, unguard } from './own-layout'

describe('our own layout', () => {
  it('is known by its header line', () => {
    expect(isOwnLayout('date,description,amount,currency,category,notes,tags'.split(','))).toBe(true)
    expect(isOwnLayout(['Tags', ' AMOUNT ', 'currency', 'Date', 'description'])).toBe(true)
    expect(isOwnLayout(['date', 'description', 'amount'])).toBe(false)
    expect(isOwnLayout(['date', 'description', 'amount', 'currency', 'date'])).toBe(false)
    expect(isOwnLayout(['date', 'description', 'amount', 'currency', 'iban'])).toBe(false)
  })

  it('has tags once each, with semicolons between them', () => {
    expect(splitTags('a; b;a;', ';')).toEqual(['a', 'b'])
    expect(splitTags('', ';')).toEqual([])
  })

  it('guards formulas so that nothing is lost', () => {
    for (const text of ['=1+1', '+49 1', '-5', '@x', '\tx', '\rx', "'=1", "''-2"]) {
      expect(guard(text)).toBe(`'${text}`)
      expect(unguard(guard(text))).toBe(text)
    }
    for (const text of ['Café', "'quoted'", "'", '', '1=1', "it's =1"]) {
      expect(guard(text)).toBe(text)
      expect(unguard(text)).toBe(text)
    }
  })
})

describe('the delimiter', () => {
  // The same cases as in api/src/cli/import/columns.rs.
  it.each([
    ['date,description,amount,currency\n1;2;3;4', ','],
    ['date;description;amount;currency\r\n', ';'],
    ['date\tdescription\tamount\tcurrency\n', '\t'],
    ['"date";"amount"\n', ';'],
    ['\n\nAmount;a,b,c,d;Date', ';'],
    ['', ','],
  ])('of %j is %j', (text, delimiter) => {
    expect(detectDelimiter(text)).toBe(delimiter)
  })

  it('is the one under which lines are alike', () => {
    expect(detectDelimiter('Konto;1\n\nDatum;Zweck;Betrag\n1.2.2026;a, b;1,50\n2.2.2026;c;2,50\n')).toBe(';')
  })
})
