import { expect, test } from 'vitest'
import { patternOf, shortHash } from './hash-pattern'

const hash = `ff00810f${'0'.repeat(52)}0101`

test('the first bits are the cells', () => {
  const { cells } = patternOf(hash)
  expect(cells.filter(({ y }) => y === 0)).toHaveLength(8)
  expect(cells.filter(({ y }) => y === 1)).toHaveLength(0)
  expect(cells.filter(({ y }) => y === 2)).toEqual([{ x: 0, y: 2 }, { x: 7, y: 2 }])
  expect(cells.filter(({ y }) => y === 3).map(({ x }) => x)).toEqual([0, 1, 2, 3])
})

test('the last bits are the hue', () => {
  expect(patternOf(hash).hue).toBe(0x0101)
  expect(patternOf(hash.slice(0, -4) + 'ffff').hue).toBe(0xffff % 360)
})

test('the history that is empty has a picture, too', () => {
  expect(patternOf('0'.repeat(64))).toEqual({ cells: [], hue: 0 })
  expect(patternOf('')).toEqual({ cells: [], hue: 0 })
})

test('people compare its first 8 characters', () => {
  expect(shortHash(hash)).toBe('ff00810f')
})
