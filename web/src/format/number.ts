/** Numbers as people write them, with the marks of their own country or of another one's. */

export type DecimalMark = '.' | ','

/** The mark ahead of the decimals in a locale. */
export function decimalMark(locale: string): DecimalMark {
  const part = new Intl.NumberFormat(locale).formatToParts(1.5).find(({ type }) => type === 'decimal')
  return part?.value === ',' ? ',' : '.'
}

export interface ReadNumber {
  /** Digits with a point: `1234.50`. */
  number: string
  /** True where a mark was taken for one between thousands. */
  grouped: boolean
}

/**
 * Reads a number without a sign; null where it is none. Point and comma are both understood:
 * - where both are there, the last one is ahead of the decimals;
 * - one that is there several times stands between thousands;
 * - one that is there once stands between thousands only where it is not the locale's own and three digits follow:
 *   `1.234` is a thousand in German, and little more than one in English.
 */
export function readNumber(text: string, mark: DecimalMark): ReadNumber | null {
  if (!/^[\d.,](?:[\d.,' \u00a0\u202f]*[\d.,])?$/.test(text) || !/\d/.test(text)) return null
  const [points, commas] = [count(text, '.'), count(text, ',')]
  const decimal = points > 0 && commas > 0 ? lastOf(text) : only(text, points, commas, mark)
  const [whole = '', fraction = '', ...rest] = decimal ? text.split(decimal) : [text]
  if (rest.length > 0 || !/^\d*$/.test(fraction)) return null
  const grouped = /\D/.test(whole)
  if (grouped && !isGrouped(whole)) return null
  return { number: `${whole.replace(/\D/g, '') || '0'}.${fraction || '0'}`, grouped }
}

/** The decimal mark of a text that has at most one kind of mark; null where it has none. */
function only(text: string, points: number, commas: number, mark: DecimalMark): DecimalMark | null {
  if (points + commas !== 1) return null
  const found: DecimalMark = points ? '.' : ','
  if (found === mark) return found
  const thousands = new RegExp(`^[1-9]\\d{0,2}\\${found}\\d{3}$`)
  return thousands.test(text) ? null : found
}

function lastOf(text: string): DecimalMark {
  return text.lastIndexOf('.') > text.lastIndexOf(',') ? '.' : ','
}

/** One kind of mark, groups of three; the ones ahead of the last may have two digits, as in India. */
function isGrouped(whole: string): boolean {
  const marks = new Set(whole.replace(/\d/g, '').replace(/[\u00a0\u202f]/g, ' '))
  return marks.size === 1 && /^\d{1,3}(?:\D\d{2,3})*\D\d{3}$/.test(whole)
}

function count(text: string, mark: string): number {
  return text.split(mark).length - 1
}

/** An exact decimal as a person there would type it. */
export function editableAmount(exact: string, locale: string): string {
  return exact.replace('.', decimalMark(locale))
}
