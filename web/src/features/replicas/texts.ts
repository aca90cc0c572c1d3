/** Numbers and names as this page shows them. */
import { formatCount } from '@/format/money'
import { locale } from '@/format/locale'

/** A revision, as people here write a count. */
export function formatRevision(revision: string | bigint): string {
  return formatCount(BigInt(revision))
}

/** A short time: 40 ms, 0.3 s, 12 s, 4 min. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 100) return `${decimal(milliseconds, 0)}\u00a0ms`
  return milliseconds < 120_000 ? formatAge(milliseconds) : `${decimal(milliseconds / 60_000, 0)}\u00a0min`
}

/** The time since something, which ticks: not in milliseconds. */
export function formatAge(milliseconds: number): string {
  if (milliseconds >= 120_000) return formatDuration(milliseconds)
  return `${decimal(milliseconds / 1_000, milliseconds < 10_000 ? 1 : 0)}\u00a0s`
}

/** An instant with its seconds: copies may differ by less than a minute. */
export function formatInstant(instant: string): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(instant))
}

export function formatPercent(share: number): string {
  return new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }).format(share)
}

/** The tint and edge of the sheet at that place, as custom properties. */
export function tintOf(index: number): Record<string, string> {
  const copy = (index % 5) + 1
  return { '--tint': `var(--copy-${copy})`, '--edge': `var(--copy-${copy}-edge)` }
}

function decimal(value: number, digits: number): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return new Intl.NumberFormat(locale.value, format).format(value)
}
