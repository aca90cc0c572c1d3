/** Dates as files write them. In which order a file does is found out from a whole column, never from one value. */

/** Order of year, month and day. */
export const DATE_ORDERS = ['ymd', 'dmy', 'mdy'] as const
export type DateOrder = (typeof DATE_ORDERS)[number]

/** Two-digit years before this one are of this century. */
const CENTURY_TURN = 70
/** Languages in which months are known by name. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt']
/** Letters by which a month is known, at most; fewer where it has fewer. */
const MONTH_LETTERS = 3

/** The calendar date that a text means; null where it means none. A time of day behind it does not count. */
export function parseDate(text: string, order: DateOrder): string | null {
  const trimmed = text.trim()
  const compact = /^\d{8}$/.test(trimmed)
  const parts = compact ? cut(trimmed, order) : split(trimmed)
  if (!parts) return null
  const named = parts.findIndex((part) => /\D/.test(part))
  const [year, month, day] = named >= 0 ? namedParts(parts, named, order) : numericParts(parts, order)
  return year && month && day ? calendarDate(year, month, day) : null
}

/** Which orders a column can have; more than one where the person must be asked, the likeliest first. */
export function detectDateOrders(values: Iterable<string>, american: boolean): DateOrder[] {
  const found = new Map<DateOrder, { hits: number; steps: Set<number>; last: string }>()
  for (const order of DATE_ORDERS) found.set(order, { hits: 0, steps: new Set(), last: '' })
  for (const value of values) {
    for (const [order, seen] of found) {
      const date = parseDate(value, order)
      if (date === null) continue
      seen.hits += 1
      if (seen.last) seen.steps.add(Math.sign(date < seen.last ? -1 : date > seen.last ? 1 : 0))
      seen.last = date
    }
  }
  const most = Math.max(...[...found.values()].map(({ hits }) => hits))
  if (most === 0) return []
  const likeliest: DateOrder[] = american ? ['mdy', 'dmy', 'ymd'] : ['dmy', 'mdy', 'ymd']
  // Exports are sorted by date: of several orders, the one that makes the column so is the likelier.
  const unsorted = (order: DateOrder) => Number(found.get(order)?.steps.has(1) && found.get(order)?.steps.has(-1))
  return likeliest
    .filter((order) => found.get(order)?.hits === most)
    .sort((a, b) => unsorted(a) - unsorted(b))
}

function cut(text: string, order: DateOrder): string[] {
  const at = order === 'ymd' ? [4, 6] : [2, 4]
  return [text.slice(0, at[0]), text.slice(at[0], at[1]), text.slice(at[1])]
}

/** Three parts with anything between them; a time may follow. */
function split(text: string): string[] | null {
  const match = /^(\d{1,4}|\p{L}+)[-./\s,]+(\d{1,2}|\p{L}+)\.?[-./\s,]+(\d{4}|\d{1,2})(?:(?:[T,]|,?\s)\s*\d{1,2}[:.]\d{2}.*)?\.?$/u.exec(text)
  return match ? match.slice(1) : null
}

function numericParts(parts: string[], order: DateOrder): (number | null)[] {
  const [first = '', second = '', third = ''] = parts
  // Where a year has four digits, its place is known.
  if (first.length > 2 && (order !== 'ymd' || third.length > 2 || first.length !== 4)) return []
  if (third.length > 2 && order === 'ymd') return []
  switch (order) {
    case 'ymd':
      return [fullYear(first), Number(second), Number(third)]
    case 'dmy':
      return [fullYear(third), Number(second), Number(first)]
    case 'mdy':
      return [fullYear(third), Number(first), Number(second)]
  }
}

/** A month with a name leaves no doubt but where the year is. */
function namedParts(parts: string[], named: number, order: DateOrder): (number | null)[] {
  const month = monthNames().get(monthKey(parts[named] ?? '')) ?? null
  const [a = '', b = ''] = parts.filter((_, index) => index !== named)
  const yearFirst = a.length === 4 || (b.length <= 2 && a.length <= 2 && order === 'ymd')
  return yearFirst ? [fullYear(a), month, Number(b)] : [fullYear(b), month, Number(a)]
}

let names: Map<string, number> | undefined

function monthNames(): Map<string, number> {
  if (names) return names
  names = new Map()
  const ambiguous = new Set<string>()
  for (const language of LANGUAGES) {
    for (const style of ['long', 'short'] as const) {
      const format = new Intl.DateTimeFormat(language, { month: style, timeZone: 'UTC' })
      for (let month = 1; month <= 12; month += 1) {
        const key = monthKey(format.format(Date.UTC(2024, month - 1, 15)))
        // June and July begin alike in French: they need more letters, which `monthKey` gives them.
        if (names.has(key) && names.get(key) !== month) ambiguous.add(key)
        names.set(key, month)
      }
    }
  }
  for (const key of ambiguous) names.delete(key)
  return names
}

function monthKey(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^\p{L}]/gu, '').toLowerCase()
  return plain.slice(0, plain.startsWith('jui') ? MONTH_LETTERS + 1 : MONTH_LETTERS)
}

function fullYear(text: string): number {
  const year = Number(text)
  if (text.length > 2) return year
  return year < CENTURY_TURN ? 2000 + year : 1900 + year
}

function calendarDate(year: number, month: number, day: number): string | null {
  const instant = new Date(Date.UTC(year, month - 1, day, 12))
  if (instant.getUTCMonth() !== month - 1 || instant.getUTCDate() !== day) return null
  return instant.toISOString().slice(0, 10)
}
