import { describe, expect, it } from 'vitest'
import {
  barMonths,
  comparison,
  daysNeeded,
  daysOf,
  exists,
  lengthOf,
  monthPeriod,
  parsePeriod,
  rangeOf,
  shifted,
  yearPeriod,
} from './period'

const TODAY = '2026-11-22'

describe('the period of an address', () => {
  it('is the month or the year that it names', () => {
    expect(parsePeriod({ month: '2025-02' }, TODAY)).toEqual(monthPeriod('2025-02'))
    expect(parsePeriod({ year: '2024' }, TODAY)).toEqual(yearPeriod('2024'))
  })

  it.each([{}, { month: '2026-13' }, { month: '2026-1' }, { month: ['2026-01'] }, { year: '26' }, { month: '1899-12' }])(
    'is the month of today for %j',
    (query) => expect(parsePeriod(query, TODAY)).toEqual(monthPeriod('2026-11')),
  )
})

it('goes back and forth over the ends of years, and ends where dates do', () => {
  expect(shifted(monthPeriod('2026-01'), -1)).toEqual(monthPeriod('2025-12'))
  expect(shifted(yearPeriod('2026'), 1)).toEqual(yearPeriod('2027'))
  expect(exists(shifted(monthPeriod('2200-12'), 1))).toBe(false)
  expect(exists(monthPeriod('1900-01'))).toBe(true)
})

it('knows the days of leap years', () => {
  expect(rangeOf(monthPeriod('2028-02'))).toEqual({ from: '2028-02-01', to: '2028-02-29' })
  expect(lengthOf(rangeOf(yearPeriod('2028')))).toBe(366)
  expect(daysOf({ from: '2026-02-27', to: '2026-03-02' })).toEqual([
    '2026-02-27',
    '2026-02-28',
    '2026-03-01',
    '2026-03-02',
  ])
})

it('shows the twelve months up to the last', () => {
  const months = barMonths(monthPeriod('2026-02'))
  expect([months.length, months[0], months.at(-1)]).toEqual([12, '2025-03', '2026-02'])
  expect(barMonths(yearPeriod('2026'))[0]).toBe('2026-01')
})

it('needs the days of the calendar and of the averaged months', () => {
  expect(daysNeeded(monthPeriod('2026-11'))).toEqual({ from: '2026-01-01', to: '2026-11-30' })
  expect(daysNeeded(monthPeriod('2026-02'))).toEqual({ from: '2025-08-01', to: '2026-02-28' })
  expect(daysNeeded(yearPeriod('2026'))).toEqual({ from: '2025-01-01', to: '2026-12-31' })
})

describe('what is compared', () => {
  it('is the whole of periods that are over', () => {
    expect(comparison(monthPeriod('2026-10'), TODAY)).toEqual({
      now: { from: '2026-10-01', to: '2026-10-31' },
      before: { from: '2026-09-01', to: '2026-09-30' },
    })
  })

  it('is the same days while the period runs', () => {
    expect(comparison(monthPeriod('2026-11'), TODAY)).toEqual({
      now: { from: '2026-11-01', to: '2026-11-22' },
      before: { from: '2026-10-01', to: '2026-10-22' },
    })
    expect(comparison(yearPeriod('2026'), TODAY)?.before).toEqual({ from: '2025-01-01', to: '2025-11-22' })
  })

  it('ends where the month before ends', () => {
    expect(comparison(monthPeriod('2026-03'), '2026-03-31')?.before).toEqual({ from: '2026-02-01', to: '2026-02-28' })
    expect(comparison(yearPeriod('2028'), '2028-02-29')?.before.to).toBe('2027-02-28')
  })

  it('is nothing for a period to come', () => {
    expect(comparison(monthPeriod('2026-12'), TODAY)).toBeNull()
  })
})
