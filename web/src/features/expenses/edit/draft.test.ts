import { describe, expect, it } from 'vitest'
import { expense } from '../list/testing'
import { changesOf, draftOf, errorOf } from './draft'

const base = expense('a', { amount: '12.50', notes: 'Receipt in the drawer', tags: ['trip'], version: 4 })

describe('an edit', () => {
  it('sends only what has changed, and on which version', () => {
    const draft = { ...draftOf(base), description: ' Tea ', amount: '13' }
    expect(changesOf(base, draft)).toEqual({ id: 'a', expectedVersion: 4, description: 'Tea', amount: '13' })
  })

  it('sends nothing where nothing has', () => {
    expect(changesOf(base, { ...draftOf(base), amount: '12.5', description: `${base.description} ` })).toBeNull()
  })

  it('clears what was emptied', () => {
    const draft = { ...draftOf(base), notes: ' ', tags: [], categoryId: null }
    expect(changesOf(base, draft)).toEqual({ id: 'a', expectedVersion: 4, notes: null, tags: null })
  })

  it('sends a new currency, and the amount only if it is another number', () => {
    expect(changesOf(base, { ...draftOf(base), currency: 'CHF' })).toMatchObject({ currency: 'CHF' })
    expect(changesOf(base, { ...draftOf(base), currency: 'CHF' })).not.toHaveProperty('amount')
    expect(changesOf(base, { ...draftOf(base), currency: 'JPY', amount: '1300' })).toMatchObject({ amount: '1300' })
  })

  it('says what is missing', () => {
    const draft = draftOf(base)
    expect(errorOf(draft)).toBeNull()
    expect(errorOf({ ...draft, description: '  ' })).toEqual({ field: 'description', error: 'needsDescription' })
    expect(errorOf({ ...draft, amount: null })).toEqual({ field: 'amount', error: 'needsAmount' })
    expect(errorOf({ ...draft, amount: '0.00' })).toEqual({ field: 'amount', error: 'needsAmount' })
    expect(errorOf({ ...draft, currency: 'JPY' })).toEqual({ field: 'amount', error: 'needsAmount' })
    expect(errorOf({ ...draft, spentOn: '2026-02-30' })).toEqual({ field: 'spentOn', error: 'needsDate' })
  })
})
