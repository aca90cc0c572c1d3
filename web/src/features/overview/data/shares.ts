/** Parts of a whole and changes, exact: in tenths of a percent, by whole numbers only. */

/** A whole, in tenths of a percent. */
const WHOLE = 1000n

/**
 * The share of each part in tenths of a percent. They add up to 100.0 % exactly: what rounding leaves goes to the parts
 * that lost most by it, the earlier of equals first. Parts are not negative.
 */
export function shares(parts: readonly bigint[]): bigint[] {
  const total = parts.reduce((sum, part) => sum + part, 0n)
  if (total <= 0n) return parts.map(() => 0n)
  const floors = parts.map((part) => (part * WHOLE) / total)
  const left = Number(WHOLE - floors.reduce((sum, floor) => sum + floor, 0n))
  const winners = parts
    .map((part, index) => ({ index, lost: (part * WHOLE) % total }))
    .sort((a, b) => (a.lost === b.lost ? a.index - b.index : a.lost > b.lost ? -1 : 1))
    .slice(0, left)
  for (const { index } of winners) floors[index] = (floors[index] ?? 0n) + 1n
  return floors
}

/** By how many tenths of a percent that is more, or less; null where there was nothing to grow from. */
export function change(now: bigint, before: bigint): bigint | null {
  return before > 0n ? divided((now - before) * WHOLE, before) : null
}

/** The quotient, rounded half away from zero. */
export function divided(number: bigint, by: bigint): bigint {
  const half = by / 2n
  return number < 0n ? -((-number + half) / by) : (number + half) / by
}
