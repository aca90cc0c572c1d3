import { describe, expect, it } from 'vitest'
import { suggest, type Earlier } from './suggestions'

let ids = 0
function expense(description: string, amount = '1.00', category: string | null = null): Earlier {
  ids += 1
  return {
    id: `e${ids}`,
    description,
    amount: { amount, currency: 'EUR' },
    category: category ? { id: category, name: category, color: null } : null,
    tags: [],
  } as Earlier
}
const texts = (earlier: Earlier[], typed: string) => suggest(earlier, typed).map(({ description }) => description)

describe('suggestions', () => {
  it('are there once, as they were the last time', () => {
    const [only, ...others] = suggest([expense('Coffee', '3.10', 'new'), expense('COFFEE', '2.90', 'old')], 'cof')
    expect(others).toEqual([])
    expect(only).toMatchObject({ description: 'Coffee', money: { amount: '3.10' }, category: { id: 'new' } })
  })
  it('begin with what was typed, then come by how often, then by how lately', () => {
    const earlier = [expense('Old town coffee'), expense('Coffee beans'), expense('Coffee'), expense('Coffee')]
    expect(texts(earlier, 'coffee ')).toEqual(['Coffee', 'Coffee beans', 'Old town coffee'])
  })
  it('have every word that was typed in the description, not in the notes', () => {
    expect(texts([expense('Café Größenwahn'), expense('Train')], 'gro caf')).toEqual(['Café Größenwahn'])
    expect(texts([expense('Train')], 'coffee')).toEqual([])
  })
  it('are none for nothing, nor for what is there already', () => {
    expect(texts([expense('Coffee')], '  ')).toEqual([])
    expect(texts([expense('Coffee')], 'Coffee')).toEqual([])
  })
  it('are bounded', () => {
    expect(texts(Array.from({ length: 30 }, (_, n) => expense(`Coffee ${n}`)), 'coffee')).toHaveLength(8)
  })
})
