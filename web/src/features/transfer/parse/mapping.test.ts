import { describe, expect, it } from 'vitest'
import { guessMapping, recallMapping, rememberMapping, type Habits } from './mapping'

const HABITS: Habits = { american: false, decimalMark: ',', currency: 'CHF' }

describe('a mapping', () => {
  it('of our own files leaves nothing open', () => {
    const names = ['date', 'description', 'amount', 'currency', 'category', 'notes', 'tags']
    const { mapping, doubts, own } = guessMapping(names, [['2026-01-02', 'x', '-1.234', 'KWD', '', '', '']], HABITS)
    expect(own).toBe(true)
    expect(mapping).toMatchObject({ dateOrder: 'ymd', decimalMark: '.', spendingNegative: false, tagSeparator: ';' })
    expect(doubts).toEqual({ dateOrders: [], decimalMark: false })
  })

  it('of a bank has spending negative', () => {
    const rows = [['13.01.2026', 'a', '-1.234,50'], ['14.01.2026', 'b', '-3,00'], ['14.01.2026', 'c', '9,00']]
    const { mapping, doubts } = guessMapping(['Datum', 'Text', 'Betrag'], rows, HABITS)
    expect(mapping).toMatchObject({ dateOrder: 'dmy', decimalMark: ',', spendingNegative: true, currency: 'CHF' })
    expect(doubts).toEqual({ dateOrders: ['dmy'], decimalMark: false })
  })

  it('says what it leaves open', () => {
    const { doubts, mapping } = guessMapping(['Date', 'Text', 'Amount'], [['01/02/2026', 'a', '1,234']], HABITS)
    expect(doubts).toEqual({ dateOrders: ['dmy', 'mdy'], decimalMark: true })
    expect(mapping.decimalMark).toBe(',')
  })

  it('is remembered for files with the same names, the newest few of them', () => {
    const kept = new Map<string, string>()
    const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => void kept.set(key, text) }
    const { mapping } = guessMapping(['Datum', 'Text', 'Betrag'], [], HABITS)
    rememberMapping(store, ['Datum', 'Text', 'Betrag'], mapping)
    expect(recallMapping(store, ['datum ', 'Text', 'Betrag'])).toEqual(mapping)
    expect(recallMapping(store, ['Text', 'Datum', 'Betrag'])).toBeNull()
    for (let index = 0; index < 20; index += 1) rememberMapping(store, [`x${index}`], mapping)
    expect(recallMapping(store, ['Datum', 'Text', 'Betrag'])).toBeNull()
    expect(kept.size).toBe(1)
  })

  it('that does not fit, or is none, is forgotten', () => {
    const store = (text: string) => ({ getItem: () => text, setItem: () => undefined })
    expect(recallMapping(store('[["a",{"columns":{"date":5}}]]'), ['a'])).toBeNull()
    expect(recallMapping(store('nonsense'), ['a'])).toBeNull()
    expect(recallMapping(null, ['a'])).toBeNull()
  })
})
