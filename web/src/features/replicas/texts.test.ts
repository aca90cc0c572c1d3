import { expect, test } from 'vitest'
import { formatAge, formatDuration, formatRevision, tintOf } from './texts'

const plain = (text: string) => text.replaceAll('\u00a0', ' ')

test.each([
  [0, '0 ms'],
  [42.4, '42 ms'],
  [300, '0.3 s'],
  [12_345, '12 s'],
  [240_000, '4 min'],
])('%i milliseconds are %s', (milliseconds, text) => {
  expect(plain(formatDuration(milliseconds))).toBe(text)
})

test('what ticks is in seconds from the start', () => {
  expect(plain(formatAge(42))).toBe('0.0 s')
  expect(plain(formatAge(300_000))).toBe('5 min')
})

test('a revision is exact', () => {
  expect(formatRevision('9007199254740993')).toBe('9,007,199,254,740,993')
})

test('the sixth sheet has the tint of the first', () => {
  expect(tintOf(5)).toEqual(tintOf(0))
  expect(tintOf(1)['--tint']).toBe('var(--copy-2)')
})
