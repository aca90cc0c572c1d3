import { beforeEach, describe, expect, it } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { useDraft } from './draft'

function open() {
  const opened = effectScope().run(() => useDraft(sessionStorage))
  if (!opened) throw new Error('the scope has ended')
  return opened
}
const sent = { description: 'Refused', amount: '5.50', currency: 'USD', spentOn: '2026-01-02', categoryId: 'c', tags: ['t'] }

beforeEach(() => sessionStorage.clear())

describe('a draft', () => {
  it('is kept over a reload, whatever state it is in', async () => {
    Object.assign(open().draft, { description: 'Cof', amount: '12+', tags: ['a'], spentOn: '2026-01-02' })
    await nextTick()
    expect(open().draft).toMatchObject({ description: 'Cof', amount: '12+', tags: ['a'], spentOn: '2026-01-02' })
  })
  it('is not taken from what is none', () => {
    sessionStorage.setItem('threefold.draft', '{"description":5,"tags":[1,"a"],"currency":"nope","spentOn":"x"}')
    expect(open().draft).toMatchObject({ description: '', tags: ['a'], currency: null, spentOn: null })
    sessionStorage.setItem('threefold.draft', '[broken')
    expect(open().draft.description).toBe('')
  })
  it('leaves date, category and currency to the next', () => {
    const { draft, next } = open()
    Object.assign(draft, { description: 'a', amount: '1', notes: 'n', tags: ['t'], currency: 'USD', categoryId: 'c', spentOn: '2026-01-02' })
    next()
    expect(draft).toEqual({ description: '', amount: '', notes: '', tags: [], currency: 'USD', categoryId: 'c', spentOn: '2026-01-02' })
  })
  it('waits behind one that is corrected', () => {
    const { draft, next, correct } = open()
    Object.assign(draft, { description: 'half typed', amount: '3' })
    correct(sent, 'de')
    expect(draft).toMatchObject({ description: 'Refused', amount: '5,50', currency: 'USD', tags: ['t'], notes: '' })
    next()
    expect(draft).toMatchObject({ description: 'half typed', amount: '3' })
  })
})
