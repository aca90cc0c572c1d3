import { describe, expect, it } from 'vitest'
import { parseQuery, type QueryContext } from './query'
import { randomQuery } from '@/testing/random-query'
import { canonicalQuery } from './write'

const context: QueryContext = {
  today: '2026-11-22',
  categories: [
    { id: 'c1', name: 'Food' },
    { id: 'c2', name: 'Eating out' },
    { id: 'c3', name: 'Food & drink' },
    { id: 'c4', name: 'Café' },
  ],
}

const filter = (text: string) => parseQuery(text, context).filter
const problems = (text: string) => parseQuery(text, context).problems.map(({ code }) => code)

describe('words', () => {
  it('must all be found', () => expect(filter('rent "south side"')).toEqual({ text: 'rent south side' }))
  it('may be given by name', () => expect(filter('text:rent')).toEqual({ text: 'rent' }))
  it('keep dashes and times', () => expect(filter('2-mal 10:30')).toEqual({ text: '2-mal 10:30' }))
  it('with an address are words', () => expect(filter('https://a.b')).toEqual({ text: 'https://a.b' }))
  it('without a letter or digit are none', () => {
    expect(problems('milk … -')).toEqual(['wordless', 'wordless'])
    expect(filter('milk … -')).toEqual({ text: 'milk' })
  })
})

describe('cat:', () => {
  it('takes the exact name first', () => expect(filter('cat:food')).toEqual({ categoryIds: ['c1'] }))
  it('takes what names begin with', () => {
    expect(filter('cat:foo')).toEqual({ categoryIds: ['c1', 'c3'] })
    expect(filter('kat:CAFE')).toEqual({ categoryIds: ['c4'] })
    expect(filter('cat:"eating o"')).toEqual({ categoryIds: ['c2'] })
  })
  it('knows those without one', () => {
    expect(filter('cat:none')).toEqual({ uncategorised: true })
    expect(filter('-kat:keine')).toEqual({ not: { uncategorised: true } })
  })
  it('says where there is none', () => expect(problems('cat:garden')).toEqual(['category']))
})

describe('amount:', () => {
  it.each([
    ['amount:>50', { minAmount: '50.0001' }],
    ['amount:>=50', { minAmount: '50' }],
    ['amount:<100', { maxAmount: '99.9999' }],
    ['amount:<=100', { maxAmount: '100' }],
    ['amount:10..20', { minAmount: '10', maxAmount: '20' }],
    ['amount:10..', { minAmount: '10' }],
    ['amount:..20', { maxAmount: '20' }],
    ['amount:12.5', { minAmount: '12.5', maxAmount: '12.5' }],
    ['betrag:12,5', { minAmount: '12.5', maxAmount: '12.5' }],
    ['amount:<0', { maxAmount: '-0.0001' }],
    ['amount:-20..-10', { minAmount: '-20', maxAmount: '-10' }],
    ['amount:1,234.5', { minAmount: '1234.5', maxAmount: '1234.5' }],
    ['amount:"> 50"', { minAmount: '50.0001' }],
    ['amount:>50 amount:>=60 amount:<90 amount:<=100', { minAmount: '60', maxAmount: '89.9999' }],
  ])('%s', (text, expected) => expect(filter(text)).toEqual(expected))

  it.each(['amount:x', 'amount:>', 'amount:1..2..3', 'amount:1.23456', 'amount:..', 'amount:9999999999999999'])(
    '%s is none',
    (text) => {
      expect(problems(text)).toEqual(['amount'])
      expect(filter(text)).toEqual({})
    },
  )
  it('does not end before it begins', () => expect(problems('amount:20..10')).toEqual(['reversed']))
})

describe('date:', () => {
  it.each([
    ['2026', '2026-01-01', '2026-12-31'],
    ['2026-Q1', '2026-01-01', '2026-03-31'],
    ['2026q4', '2026-10-01', '2026-12-31'],
    ['2026-11', '2026-11-01', '2026-11-30'],
    ['2024-02', '2024-02-01', '2024-02-29'],
    ['2026-11-03', '2026-11-03', '2026-11-03'],
    ['3.11.2026', '2026-11-03', '2026-11-03'],
    ['2026-01..2026-03', '2026-01-01', '2026-03-31'],
    ['2026-01-05..', '2026-01-05', undefined],
    ['..2026-01', undefined, '2026-01-31'],
    ['>2026-01-01', '2026-01-02', undefined],
    ['>2026-01', '2026-02-01', undefined],
    ['>=2026-01', '2026-01-01', undefined],
    ['<2026', undefined, '2025-12-31'],
    ['<=2026-Q2', undefined, '2026-06-30'],
    ['today', '2026-11-22', '2026-11-22'],
    ['gestern', '2026-11-21', '2026-11-21'],
    ['week', '2026-11-16', '2026-11-22'],
    ['last-week', '2026-11-09', '2026-11-15'],
    ['month', '2026-11-01', '2026-11-30'],
    ['last-month', '2026-10-01', '2026-10-31'],
    ['year', '2026-01-01', '2026-12-31'],
    ['last-year', '2025-01-01', '2025-12-31'],
    ['last-30d', '2026-10-24', '2026-11-22'],
    ['last-2w', '2026-11-09', '2026-11-22'],
    ['last-12m', '2025-12-01', '2026-11-30'],
    ['last-2y', '2025-01-01', '2026-12-31'],
    ['2026-10..today', '2026-10-01', '2026-11-22'],
  ])('%s', (value, spentFrom, spentTo) => expect(filter(`date:${value}`)).toEqual({ spentFrom, spentTo }))

  it.each(['2026-13', '2026-02-30', 'soon', '26', 'last-0d', '2026-Q5', '..', '0000'])('%s is none', (value) =>
    expect(problems(`date:${value}`)).toEqual(['date']),
  )
  it('does not end before it begins', () => expect(problems('date:2026..2025')).toEqual(['reversed']))
})

describe('tag: and currency:', () => {
  it('are exact', () => {
    expect(filter('tag:Trip tag:"Rome 26"')).toEqual({ tags: ['Trip', 'Rome 26'] })
    expect(filter('currency:eur')).toEqual({ currency: 'EUR' })
    expect(filter('cur:JPY')).toEqual({ currency: 'JPY' })
  })
  it('must exist', () => expect(problems('cur:EURO cur:QQQ')).toEqual(['currency', 'currency']))
  it('that exclude each other still do', () =>
    expect(filter('cur:EUR cur:JPY')).toEqual({ currency: 'EUR', and: [{ currency: 'JPY' }] }))
})

describe('together', () => {
  it('is one flat filter where it can be', () => {
    expect(filter('cat:food amount:>50 date:2026-Q1 -tag:trip')).toEqual({
      categoryIds: ['c1'],
      minAmount: '50.0001',
      spentFrom: '2026-01-01',
      spentTo: '2026-03-31',
      not: { tags: ['trip'] },
    })
  })
  it('negates every term of its own', () =>
    expect(filter('-rent -tag:x -milk')).toEqual({
      not: { text: 'rent' },
      and: [{ not: { tags: ['x'] } }, { not: { text: 'milk' } }],
    }))
  it('never takes two categories for one of two', () =>
    expect(filter('cat:café cat:none')).toEqual({ categoryIds: ['c4'], and: [{ uncategorised: true }] }))
  it('knows OR, which binds less', () => {
    expect(filter('a b OR c')).toEqual({ or: [{ text: 'a b' }, { text: 'c' }] })
    expect(filter('a (b ODER c)')).toEqual({ text: 'a', or: [{ text: 'b' }, { text: 'c' }] })
    expect(filter('(a OR b) (c OR d)')).toEqual({
      or: [{ text: 'a' }, { text: 'b' }],
      and: [{ or: [{ text: 'c' }, { text: 'd' }] }],
    })
    expect(filter('cat:café OR cat:"eating out" OR cat:none')).toEqual({ categoryIds: ['c4', 'c2'], uncategorised: true })
  })
  it('knows not of groups, and not of not', () => {
    expect(filter('-(a OR b)')).toEqual({ not: { or: [{ text: 'a' }, { text: 'b' }] } })
    expect(filter('--a')).toEqual({ text: 'a' })
    expect(filter('-(-a)')).toEqual({ text: 'a' })
    expect(filter('NOT a')).toEqual({ not: { text: 'a' } })
  })
  it('takes quoted connectives for words', () => expect(filter('a "OR" b')).toEqual({ text: 'a OR b' }))
})

describe('what is wrong', () => {
  it.each([
    ['catt:food milk', 'unknown', 0, 9],
    ['milk cat:', 'missing', 5, 9],
    ['milk tag:"trip', 'quote', 5, 6],
    ['milk (eggs', 'unclosed', 5, 6],
    ['milk )', 'unopened', 5, 6],
    ['milk ()', 'empty', 5, 7],
    ['milk OR', 'or', 5, 7],
    ['OR milk', 'or', 0, 2],
    ['milk NOT', 'lonely', 5, 8],
  ])('%s', (text, code, from, to) => {
    const parsed = parseQuery(text, context)
    expect(parsed.problems).toEqual([expect.objectContaining({ code, from, to })])
    expect(parsed.filter.text).toContain('milk'.slice(0, text.includes('milk') ? 4 : 0))
  })
  it('leaves the good rest', () =>
    expect(filter('cat:garden amount:x rent OR date:soon')).toEqual({ text: 'rent' }))
  it('is more than the replicas take', () => {
    const many = Array.from({ length: 20 }, (_, index) => `w${index}`).join(' ')
    expect(problems(many)).toEqual(['tooMuch', 'tooMuch', 'tooMuch', 'tooMuch'])
    expect(filter(many).text?.split(' ')).toHaveLength(16)
    expect(problems('a'.repeat(2000))).toEqual(['long'])
    expect(problems(`${'('.repeat(12)}a${')'.repeat(12)}`)).toEqual(['deep'])
  })
})

describe('terms', () => {
  it('are what chips show', () => {
    const { terms } = parseQuery('coffee -cat:"eating out" (a OR tag:b)', context)
    expect(terms.map(({ text, operator, negated, value, from }) => ({ text, operator, negated, value, from }))).toEqual([
      { text: 'coffee', operator: 'text', negated: false, value: 'coffee', from: 0 },
      { text: '-cat:"eating out"', operator: 'cat', negated: true, value: 'eating out', from: 7 },
      { text: 'a OR tag:b', operator: 'group', negated: false, value: 'a OR tag:b', from: 25 },
    ])
    expect(terms[1]?.categories.map(({ id }) => id)).toEqual(['c2'])
  })
})

describe('whatever is typed', () => {
  it('is read without an exception, and stays the same when written and read again', { timeout: 30_000 }, () => {
    const random = randomQuery(42)
    for (let round = 0; round < 1_500; round += 1) {
      const text = random()
      const written = canonicalQuery(text)
      expect(canonicalQuery(written), text).toBe(written)
      // Positions are in the text.
      for (const { from, to } of parseQuery(text, context).problems) {
        expect(from).toBeLessThanOrEqual(to)
        expect(to).toBeLessThanOrEqual(text.length)
      }
      expect(parseQuery(written, context).filter, text).toEqual(parseQuery(text, context).filter)
    }
  })
})
