/** Amounts, exact: they are texts and whole numbers of the smallest unit, never floating point. */
import { locale } from './locale'

/** An amount of a currency, as the API gives it. */
export interface Money {
  /** Exact decimal: 12.50. */
  amount: string
  /** ISO 4217: EUR. */
  currency: string
}

const formats = new Map<string, Intl.NumberFormat>()

/**
 * Currencies that do not have two decimals, from ISO 4217, as the replicas count them. `Intl` answers with the decimals
 * that people use, which are fewer for some: none for HUF, where the standard has two.
 */
const DECIMALS: Readonly<Record<string, number>> = Object.fromEntries([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3]),
  ...'CLF UYW'.split(' ').map((code) => [code, 4]),
])

/** Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
export function decimalsOf(currency: string): number {
  return DECIMALS[currency] ?? 2
}

/** €12.50, as people here write it. Exact for any number of digits. */
export function formatMoney({ amount, currency }: Money): string {
  const decimals = amount.split('.')[1]?.length ?? 0
  const key = `${locale.value} ${currency} ${decimals}`
  let format = formats.get(key)
  if (!format) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
    format = new Intl.NumberFormat(locale.value, { style: 'currency', currency, ...digits })
    formats.set(key, format)
  }
  // A text is formatted digit by digit, without a detour over binary floating point.
  return format.format(amount as unknown as number)
}

/** A count, as people here write it: 1,234. */
export function formatCount(count: number | bigint): string {
  return new Intl.NumberFormat(locale.value).format(count)
}

/** Whole smallest units of an exact decimal: 12.50 with 2 decimals is 1250. Null where it has more decimals. */
export function toMinor(amount: string, decimals: number): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount)
  if (!match) return null
  const [, sign = '', whole = '0', fraction = ''] = match
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > decimals) return null
  const minor = BigInt(whole + kept.padEnd(decimals, '0'))
  return sign ? -minor : minor
}

/** The exact decimal of whole smallest units: 1250 with 2 decimals is 12.50. */
export function fromMinor(minor: bigint, decimals: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0')
  const sign = minor < 0n ? '-' : ''
  if (decimals === 0) return sign + digits
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** The exact sum of decimals that may differ in their number of digits behind the point. */
export function sum(amounts: readonly string[]): string {
  const decimals = Math.max(0, ...amounts.map((amount) => amount.split('.')[1]?.length ?? 0))
  return fromMinor(
    amounts.reduce((total, amount) => total + (toMinor(amount, decimals) ?? 0n), 0n),
    decimals,
  )
}
