/** How the overview writes its figures, in the person's locale. */
import { noon, type CalendarDate } from '@/format/date'
import { locale } from '@/format/locale'
import { formatMoney, fromMinor } from '@/format/money'
import { moneyOf, type Scale } from './data/rows'
import type { Range } from './period'

/** €12.50. */
export function moneyText(scale: Scale, minor: bigint): string {
  return formatMoney(moneyOf(scale, minor))
}

/** +€12.50 or -€12.50. */
export function changeText(scale: Scale, minor: bigint): string {
  return (minor > 0n ? '+' : '') + moneyText(scale, minor)
}

/** 12.3%, of tenths of a percent. */
export function shareText(tenths: bigint, signed = false): string {
  const format = new Intl.NumberFormat(locale.value, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: signed ? 'exceptZero' : 'auto',
  })
  // A text is formatted digit by digit, as in format/money.ts.
  return format.format(fromMinor(tenths, 3) as unknown as number)
}

/** €1.2K, for the marks of an axis: these are round numbers that no expense has. */
export function compactText(currency: string, number: number): string {
  return new Intl.NumberFormat(locale.value, {
    style: 'currency',
    currency,
    notation: 'compact',
    minimumFractionDigits: 0,
    maximumFractionDigits: 1,
  }).format(number)
}

/** 1 – 22 Nov 2026. */
export function rangeText({ from, to }: Range): string {
  const format = new Intl.DateTimeFormat(locale.value, {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  })
  return format.formatRange(noon(from), noon(to))
}

/** 22 Nov. */
export function dayText(date: CalendarDate): string {
  return new Intl.DateTimeFormat(locale.value, { timeZone: 'UTC', day: 'numeric', month: 'short' }).format(noon(date))
}

/** Where weeks begin here: 1, Monday, to 7. Monday where the browser does not know. */
export function weekBegins(): number {
  const known: Intl.Locale & { getWeekInfo?: () => { firstDay: number } } = new Intl.Locale(locale.value)
  return known.getWeekInfo?.().firstDay ?? 1
}

/**
 * Where an amount is drawn. Geometry only, a pixel is coarser than any rounding here: texts are made of the exact
 * amount.
 */
export function geometry(scale: Scale, minor: bigint): number {
  return Number(fromMinor(minor, scale.decimals))
}
