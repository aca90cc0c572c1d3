import { describe, expect, it } from 'vitest'
import { change, divided, shares } from './shares'

describe('shares', () => {
  it('add up to 100.0 % where rounding each alone would not', () => {
    expect(shares([1n, 1n, 1n])).toEqual([334n, 333n, 333n])
    // Each of these rounds up to 14.3 alone, which makes 100.1.
    expect(shares(Array.from({ length: 7 }, () => 5n)).reduce((a, b) => a + b)).toBe(1000n)
  })

  it('give what is left to those who lost most', () => {
    expect(shares([9994n, 6n])).toEqual([999n, 1n])
    expect(shares([0n, 10n])).toEqual([0n, 1000n])
  })

  it('are exact beyond what floating point can tell apart', () => {
    const big = 10n ** 30n
    expect(shares([big, big, 2n * big])).toEqual([250n, 250n, 500n])
  })

  it('are nothing of nothing', () => {
    expect(shares([])).toEqual([])
    expect(shares([0n, 0n])).toEqual([0n, 0n])
  })
})

describe('change', () => {
  it('is in tenths of a percent, rounded half away from zero', () => {
    expect(change(112n, 100n)).toBe(120n)
    expect(change(20_001n, 20_000n)).toBe(0n)
    expect(change(20_010n, 20_000n)).toBe(1n)
    expect(change(19_990n, 20_000n)).toBe(-1n)
    expect(change(-50n, 100n)).toBe(-1500n)
  })

  it('says nothing where there was nothing', () => {
    expect(change(5n, 0n)).toBeNull()
    expect(change(5n, -10n)).toBeNull()
  })
})

it('divides to the nearest', () => {
  expect([divided(7n, 2n), divided(-7n, 2n), divided(10n, 4n), divided(1n, 3n), divided(-1n, 3n)]).toEqual([
    4n,
    -4n,
    3n,
    0n,
    0n,
  ])
})
