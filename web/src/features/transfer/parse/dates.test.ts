import { describe, expect, it } from 'vitest'
import { detectDateOrders, parseDate } from './dates'

describe('dates', () => {
  it.each([
    ['2026-11-22', 'ymd'],
    ['2026/11/22', 'ymd'],
    ['20261122', 'ymd'],
    ['26-11-22', 'ymd'],
    ['22.11.2026', 'dmy'],
    ['22.11.26', 'dmy'],
    ['22/11/2026', 'dmy'],
    ['22-11-2026', 'dmy'],
    ['22112026', 'dmy'],
    ['11/22/2026', 'mdy'],
    ['11/22/26', 'mdy'],
    ['22.11.2026 14:05', 'dmy'],
    ['2026-11-22T14:05:00Z', 'ymd'],
    ['22. Nov. 2026', 'dmy'],
    ['22-NOV-26', 'dmy'],
    ['November 22, 2026', 'mdy'],
  ] as const)('%s is read as %s', (text, order) => {
    expect(parseDate(text, order)).toBe('2026-11-22')
  })

  it('knows months by name in several languages', () => {
    expect(parseDate('5. März 2026', 'dmy')).toBe('2026-03-05')
    expect(parseDate('5 juin 2026', 'dmy')).toBe('2026-06-05')
    expect(parseDate('5 juillet 2026', 'dmy')).toBe('2026-07-05')
    expect(parseDate('5 mei 2026', 'dmy')).toBe('2026-05-05')
    expect(parseDate('1 Dez 99', 'dmy')).toBe('1999-12-01')
  })

  it('are days of the calendar', () => {
    expect(parseDate('29.02.2024', 'dmy')).toBe('2024-02-29')
    for (const text of ['29.02.2023', '31/04/2026', '00.01.2026', '1.13.2026', '', '12', 'Total', '1,234.56', '5 foo 2026']) {
      expect(parseDate(text, 'dmy'), text).toBeNull()
    }
    expect(parseDate('2026-11-22', 'dmy')).toBeNull()
    expect(parseDate('22.11.2026', 'ymd')).toBeNull()
  })

  it('tell their order by the whole column', () => {
    expect(detectDateOrders(['2026-01-02', '2026-03-04'], false)).toEqual(['ymd'])
    expect(detectDateOrders(['01/02/2026', '13/02/2026'], true)).toEqual(['dmy'])
    expect(detectDateOrders(['01/02/2026', '02/13/2026'], false)).toEqual(['mdy'])
    expect(detectDateOrders(['13.02.2026', 'Total'], false)).toEqual(['dmy'])
    expect(detectDateOrders(['Total'], false)).toEqual([])
  })

  it('leave doubt where there is some, the likeliest order first', () => {
    expect(detectDateOrders(['01/02/2026'], false)).toEqual(['dmy', 'mdy'])
    expect(detectDateOrders(['01/02/2026'], true)).toEqual(['mdy', 'dmy'])
    // Sorted as days of January, not as months.
    expect(detectDateOrders(['01/02/2026', '01/05/2026', '02/01/2026'], false)[0]).toBe('mdy')
  })
})
