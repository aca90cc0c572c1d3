import { describe, expect, it } from 'vitest'
import { parseQuery } from './query'
import { canonicalQuery, expensesLink, queryFor, queryText, withOnly, withoutTerm, withTerm, writeTerm } from './write'

const terms = (text: string) => parseQuery(text, { categories: [], today: '2026-11-22' }).terms

describe('writeTerm', () => {
  it.each([
    ['tag', 'trip', 'tag:trip'],
    ['tag', 'Trip 2026', 'tag:"Trip 2026"'],
    ['tag', 'say "hi"', 'tag:"say \\"hi\\""'],
    ['text', 'OR', '"OR"'],
    ['text', '-5', '"-5"'],
    ['text', 'cat:x', '"cat:x"'],
    ['amount', '-5', 'amount:-5'],
  ] as const)('%s %s', (operator, value, written) => {
    expect(writeTerm(operator, value)).toBe(written)
    expect(terms(writeTerm('text', value))[0]?.value).toBe(value)
  })
})

describe('canonicalQuery', () => {
  it('has one way to write everything', () => {
    expect(canonicalQuery('  Kategorie:food   betrag:>5 ODER ( NICHT "a b" )')).toBe('cat:food amount:>5 OR -"a b"')
  })
})

describe('queryText', () => {
  it('puts terms together', () => {
    expect(queryText(terms('a (b OR c) -tag:d'))).toBe('a (b OR c) -tag:d')
    expect(queryText(terms('b OR c'))).toBe('b OR c')
    expect(queryText([])).toBe('')
  })
})

describe('withTerm', () => {
  it('adds it once', () => {
    expect(withTerm('', 'tag:a')).toBe('tag:a')
    expect(withTerm('rent', 'tag:a')).toBe('rent tag:a')
    expect(withTerm('rent tag:a', 'tag:a')).toBe('rent tag:a')
    expect(withTerm('rent', 'rent')).toBe('rent')
  })
  it('adds it to the whole, not to the last alternative', () => {
    expect(withTerm('a OR b', 'tag:c')).toBe('(a OR b) tag:c')
    expect(withTerm('(a) OR (b)', 'tag:c')).toBe('((a) OR (b)) tag:c')
  })
  it('is not swallowed by what is open', () => {
    expect(withTerm('rent "b', 'tag:c')).toBe('rent b tag:c')
    expect(withTerm('rent (b', 'tag:c')).toBe('rent b tag:c')
    expect(withTerm('(', 'tag:c')).toBe('tag:c')
    expect(withTerm('rent OR', 'tag:c')).toBe('rent tag:c')
    expect(withTerm('rent NOT', 'tag:c')).toBe('rent tag:c')
  })
  it('keeps what has no sense', () => {
    expect(withTerm('rent catt:x date:soon', 'tag:c')).toBe('rent catt:x date:soon tag:c')
  })
})

describe('withoutTerm', () => {
  const without = (query: string, index: number) => withoutTerm(query, terms(query)[index] ?? { from: 0, to: 0 })
  it('takes out one and leaves the rest as it is typed', () => {
    expect(without('rent  tag:"a  b"  date:2026', 0)).toBe('tag:"a  b"  date:2026')
    expect(without('rent -tag:a date:2026', 1)).toBe('rent date:2026')
    expect(without('rent (a OR b)', 1)).toBe('rent')
    expect(without('rent -(a OR b)', 1)).toBe('rent')
  })
  it('leaves no empty parentheses', () => {
    expect(without('rent (((milk)))', 1)).toBe('rent')
    expect(without('tag:"()" (milk)', 1)).toBe('tag:"()"')
  })
})

describe('withOnly', () => {
  it('puts a term in place of its like', () => {
    expect(withOnly('date:2026 rent date:month', 'date', 'date:year')).toBe('rent date:year')
    expect(withOnly('rent date:2026', 'date', null)).toBe('rent')
    expect(withOnly('-date:2026', 'date', 'date:year')).toBe('-date:2026 date:year')
    expect(withOnly('', 'date', 'date:year')).toBe('date:year')
  })
})

describe('queryFor', () => {
  it('writes what a link asks for', () => {
    expect(queryFor({ category: 'Eating out', month: '2026-11' })).toBe('cat:"Eating out" date:2026-11')
    expect(queryFor({ category: null, from: '2026-11-01', to: '2026-11-07', currency: 'EUR' })).toBe(
      'cat:none date:2026-11-01..2026-11-07 currency:EUR',
    )
    expect(queryFor({ from: '2026-11-01', to: '2026-11-01' })).toBe('date:2026-11-01')
    expect(queryFor({ from: '2026-11-01' })).toBe('date:2026-11-01..')
    expect(queryFor({ tag: 'a b', date: '2026', text: 'x' })).toBe('x date:2026 tag:"a b"')
  })
  it('leads to the list', () => {
    expect(expensesLink({ month: '2026-11' })).toEqual({ name: 'expenses', query: { q: 'date:2026-11' } })
    expect(expensesLink('')).toEqual({ name: 'expenses', query: {} })
  })
})
