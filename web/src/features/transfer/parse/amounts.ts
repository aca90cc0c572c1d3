/** Amounts as files write them, kept exact: they are read digit by digit and never become binary numbers. */
import { decimalsOf, fromMinor, toMinor } from '@/format/money'
import { MAX_MINOR_UNITS } from '../limits'

export type DecimalMark = '.' | ','

/** Why a text is no amount of an expense. */
export type AmountFault = 'notANumber' | 'tooManyDecimals' | 'tooLarge' | 'zero'

/** The plain decimal that a text means: `-7971.39` for `-$7,971.39`. Null where it means none. */
export function parseDecimal(text: string, mark: DecimalMark): string | null {
  let rest = text.trim().replace(/[−–]/g, '-')
  let negative = false
  const parentheses = /^\((.*)\)$/.exec(rest)
  if (parentheses?.[1] !== undefined) {
    negative = true
    rest = parentheses[1]
  }
  // Debit and credit, in English and German, behind the number.
  const side = /\d\s*(CR|DR|S|H)$/i.exec(rest)?.[1]?.toUpperCase()
  if (side === 'DR' || side === 'S') negative = !negative
  // What letters part is not one number: 1e5, 2x3. Longer words are no currency.
  if (/\d\s*\p{L}+\s*\d|\p{L}{5}/u.test(rest)) return null
  rest = rest.replace(/\p{L}+\.?|[\p{Sc}\s'’]/gu, '')
  const sign = /^([-+]?)([\d.,]+)([-+]?)$/.exec(rest)
  if (!sign || (sign[1] && sign[3])) return null
  if (sign[1] === '-' || sign[3] === '-') negative = !negative
  const number = unsigned(sign[2] ?? '', mark)
  return number === null ? null : negative && /[1-9]/.test(number) ? `-${number}` : number
}

/** A number without sign, with or without marks between its groups: of three, or as in 1,23,456. */
function unsigned(text: string, mark: DecimalMark): string | null {
  const plain = mark === ',' ? text.replace(/[.,]/g, (found) => (found === '.' ? ',' : '.')) : text
  const match = /^(\d{1,3}(?:,\d{2,3})*,\d{3}|\d+|)(?:\.(\d*))?$/.exec(plain)
  if (!match || !/\d/.test(plain)) return null
  const whole = (match[1] ?? '').replaceAll(',', '').replace(/^0+(?=\d)/, '') || '0'
  return match[2] ? `${whole}.${match[2]}` : whole
}

/** The amount of an expense, with all decimals of its currency; or why it is none. */
export function expenseAmount(decimal: string, currency: string): { amount: string } | { fault: AmountFault } {
  const decimals = decimalsOf(currency)
  const minor = toMinor(decimal, decimals)
  if (minor === null) return { fault: 'tooManyDecimals' }
  if (minor === 0n) return { fault: 'zero' }
  if (minor > MAX_MINOR_UNITS || minor < -MAX_MINOR_UNITS) return { fault: 'tooLarge' }
  return { amount: fromMinor(minor, decimals) }
}

/** Amounts that decide, where they say something at all. */
const ENOUGH = 1_000

/** What the amounts of a column say of their decimal mark: null where they leave it open, as `1,234` does. */
export function detectDecimalMark(values: Iterable<string>): DecimalMark | null {
  let points = 0
  let commas = 0
  for (const value of values) {
    const marks = value.match(/[.,]/g) ?? []
    const last = marks.at(-1)
    if (!last) continue
    const repeated = marks.filter((mark) => mark === last).length > 1
    const behind = value.slice(value.lastIndexOf(last) + 1).replace(/\D/g, '').length
    const both = new Set(marks).size > 1
    // Of two marks the last is the decimal one; a repeated one is none; a lone one before three digits may be either.
    if (both ? repeated : !repeated && behind === 3) continue
    const decimal = repeated ? (last === '.' ? ',' : '.') : last
    if (decimal === '.') points += 1
    else commas += 1
    if (points + commas === ENOUGH) break
  }
  if (points === commas) return null
  return points > commas ? '.' : ','
}

/** True where the text looks like money: a number, perhaps with signs of a currency. */
export function looksLikeAmount(text: string): boolean {
  return text.length < 40 && (parseDecimal(text, '.') !== null || parseDecimal(text, ',') !== null)
}
