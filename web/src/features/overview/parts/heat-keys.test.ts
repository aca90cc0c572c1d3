import { expect, it } from 'vitest'
import { neighbour } from './heat-keys'

const DATES = ['2026-01-01', '2026-01-02', '2026-01-09', '2026-03-01']

it.each([
  ['ArrowRight', '2026-01-01', '2026-01-02'],
  ['ArrowDown', '2026-01-02', '2026-01-09'],
  ['ArrowUp', '2026-01-09', '2026-01-02'],
  // Days without expenses are passed over.
  ['ArrowRight', '2026-01-09', '2026-03-01'],
  ['ArrowLeft', '2026-03-01', '2026-01-09'],
  ['ArrowLeft', '2026-01-01', null],
  ['ArrowDown', '2026-03-01', null],
  ['Home', '2026-03-01', '2026-01-01'],
  ['End', '2026-01-01', '2026-03-01'],
  ['Enter', '2026-01-01', null],
])('%s leads from %s to %s', (key, from, to) => expect(neighbour(DATES, from, key)).toBe(to))
