/** A category's expenses by tag. They are no parts of a whole: an expense counts under each of its tags. */
import type { OverviewTagFragment } from '@/graphql/generated/graphql'
import { divided } from './shares'

/** Most tags that are shown. */
export const MAX_TAGS = 12

export interface TagTotal {
  /** Null for expenses without one. */
  tag: string | null
  total: bigint
  /** Of the category's total, in tenths of a percent; null where there is nothing to have a share of. */
  tenths: bigint | null
  /** Of its bar, in percent: geometry only. */
  width: number
}

export function tagTotals(rows: readonly OverviewTagFragment[], whole: bigint): { shown: TagTotal[]; more: number } {
  const sorted = rows
    .map(({ tag, total }) => ({ tag: tag ?? null, total: BigInt(total.minorUnits) }))
    .sort((a, b) => (a.total === b.total ? 0 : a.total > b.total ? -1 : 1))
  // A category without any tag has nothing to tell apart.
  if (sorted.every(({ tag }) => tag === null)) return { shown: [], more: 0 }
  const shown = sorted.slice(0, MAX_TAGS).map(({ tag, total }) => {
    const tenths = whole > 0n && total >= 0n ? divided(total * 1000n, whole) : null
    return { tag, total, tenths, width: Math.min(100, Number(tenths ?? 0n) / 10) }
  })
  return { shown, more: sorted.length - shown.length }
}
