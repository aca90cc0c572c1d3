import { describe, expect, it } from 'vitest'
import { suggestTerms } from './suggestions'

const known = {
  categories: [
    { id: 'c1', name: 'Eating out' },
    { id: 'c2', name: 'Café' },
  ],
  tags: ['trip', 'Rome 26'],
  currencies: ['EUR', 'USD'],
}
const inserts = (text: string, caret = text.length) => suggestTerms(text, caret, known).suggestions.map(({ insert }) => insert)

describe('suggestions', () => {
  it('begin with the operators', () => {
    expect(inserts('')).toEqual(['cat:', 'tag:', 'amount:', 'date:', 'currency:'])
    expect(inserts('rent ')).toEqual(['cat:', 'tag:', 'amount:', 'date:', 'currency:'])
  })
  it('are what a word could be the beginning of', () => {
    expect(inserts('ca')).toEqual(['cat:', 'cat:Café'])
    expect(inserts('tr')).toEqual(['tag:trip'])
    expect(inserts('zzz')).toEqual([])
  })
  it('are the values of an operator', () => {
    expect(inserts('cat:')).toEqual(['cat:"Eating out"', 'cat:Café', 'cat:none'])
    expect(inserts('kat:out')).toEqual(['cat:"Eating out"'])
    expect(inserts('tag:ro')).toEqual(['tag:"Rome 26"'])
    expect(inserts('cur:u')).toEqual(['currency:USD'])
    expect(inserts('date:last-m')).toEqual(['date:last-month'])
    expect(inserts('amount:')).toEqual(['amount:>50', 'amount:<=20', 'amount:10..20', 'amount:<0'])
  })
  it('are for the word at the caret, which they take the place of', () => {
    const text = 'rent -cat:ea milk'
    expect(suggestTerms(text, 12, known)).toMatchObject({ at: { from: 6, to: 12 }, suggestions: [{ insert: 'cat:"Eating out"' }] })
  })
  it('are not what is there already', () => expect(inserts('tag:trip')).toEqual([]))
})
