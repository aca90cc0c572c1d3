import { describe, expect, it } from 'vitest'
import { addDays, addMonths, isDate, lastDay, longDate, longMonth, shortDate, today } from './date'

describe('calendar dates', () => {
  it("have the person's today, not that of UTC", () => {
    expect(today(new Date(2026, 10, 22, 23, 59))).toBe('2026-11-22')
    expect(today(new Date(2026, 0, 1, 0, 0))).toBe('2026-01-01')
  })

  it('are counted on the calendar', () => {
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29')
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31')
    expect(addMonths('2026-11', 2)).toBe('2027-01')
    expect(addMonths('2026-01', -13)).toBe('2024-12')
    expect(lastDay('2024-02')).toBe('2024-02-29')
  })

  it('exist or do not', () => {
    expect(isDate('2026-11-22')).toBe(true)
    for (const text of ['2026-02-29', '2026-13-01', '22.11.2026', '', '2026-1-1']) expect(isDate(text), text).toBe(false)
  })

  it('are written as people write them', () => {
    expect(shortDate('2026-11-22')).toBe('Nov 22, 2026')
    expect(longDate('2026-11-22', '2026-01-01')).toBe('Sunday, November 22')
    expect(longDate('2025-11-22', '2026-01-01')).toContain('2025')
    expect(longMonth('2026-11')).toBe('November 2026')
  })
})
