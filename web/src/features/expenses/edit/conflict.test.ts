import { describe, expect, it } from 'vitest'
import { expense } from '../list/testing'
import { resolved, sidesOf, type Choices } from './conflict'
import type { UpdateInput } from './draft'

const categories = { category: (id: string) => ({ id, name: id, color: null }) }
const theirs = expense('a', { amount: '20.00', description: 'Theirs', notes: 'Their note', version: 7 })
const input: UpdateInput = { id: 'a', expectedVersion: 5, description: 'Mine', amount: '15.00', categoryId: 'food', tags: ['x'] }
const mine: Choices = { description: 'mine', amount: 'mine', spentOn: 'mine', category: 'mine', tags: 'mine', notes: 'mine' }
const all: Choices = {
  description: 'theirs', amount: 'theirs', spentOn: 'theirs', category: 'theirs', tags: 'theirs', notes: 'theirs',
}

describe('two versions of an expense', () => {
  const sides = sidesOf(input, theirs, categories)

  it('differ where ours was changed to something else', () => {
    expect(sides.differing).toEqual(['description', 'amount', 'category', 'tags'])
    expect(sides.mine).toMatchObject({ description: 'Mine', notes: 'Their note', amount: { amount: '15.00' } })
    expect(sidesOf({ id: 'a', description: 'Theirs' }, theirs, categories).differing).toEqual([])
  })

  it('are saved as chosen, field by field, on top of theirs', () => {
    expect(resolved(input, sides, { ...all, amount: 'mine', tags: 'mine' })).toEqual({
      id: 'a', expectedVersion: 7, amount: '15.00', tags: ['x'],
    })
    expect(resolved(input, sides, mine)).toEqual({ ...input, expectedVersion: 7 })
  })

  it('need no saving where theirs is taken', () => {
    expect(resolved(input, sides, all)).toBeNull()
  })

  it('clear what ours has cleared', () => {
    const clearing: UpdateInput = { id: 'a', notes: null, categoryId: null }
    expect(resolved(clearing, sidesOf(clearing, theirs, categories), mine)).toEqual({ id: 'a', expectedVersion: 7, notes: null })
  })
})
