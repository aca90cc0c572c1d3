import { describe, expect, it } from 'vitest'
import { choicesFor, isKnown } from './picking'
import { cleanTags } from './tags'

const choices = ['Café', 'Eating out', 'Outdoors', 'Scout'].map((text) => ({ value: text, text }))
const found = (typed: string) => choicesFor(choices, typed).map(({ text }) => text)

describe('choices', () => {
  it('that begin with what was typed come first, then words that do, then the rest', () => {
    expect(found('out')).toEqual(['Outdoors', 'Eating out', 'Scout'])
  })
  it('are found without case and accents', () => {
    expect(found('CAFE')).toEqual(['Café'])
    expect(isKnown(choices, ' cafe ')).toBe(true)
    expect(isKnown(choices, 'caf')).toBe(false)
  })
  it('are found by what is said beside them', () => {
    expect(choicesFor([{ value: 'JPY', text: 'JPY', detail: 'Japanese Yen' }], 'yen')).toHaveLength(1)
  })
  it('are all there before anything is typed, up to a bound', () => {
    expect(found(' ')).toHaveLength(4)
    expect(choicesFor(Array.from({ length: 500 }, (_, n) => ({ value: `${n}`, text: `${n}` })), '')).toHaveLength(60)
  })
})

describe('tags', () => {
  it('are what the replicas take', () => {
    expect(cleanTags([' a ', 'a', '', '  ', 'b'])).toEqual(['a', 'b'])
    expect(cleanTags(['x'.repeat(70)])).toEqual(['x'.repeat(64)])
    expect(cleanTags(Array.from({ length: 30 }, (_, n) => `${n}`))).toHaveLength(20)
  })
})
