/** A picture of a state hash: equal hashes look equal, and different ones do not. */

export const COLUMNS = 8
export const ROWS = 4

export interface HashPattern {
  /** Filled cells, row by row. */
  cells: readonly { x: number; y: number }[]
  /** Hue of its colour, 0 to 359. */
  hue: number
}

/** The picture of a hash in hexadecimal: its first bits are the cells, its last ones the hue. */
export function patternOf(hash: string): HashPattern {
  const cells: { x: number; y: number }[] = []
  for (let y = 0; y < ROWS; y += 1) {
    const bits = parseInt(hash.slice(y * 2, y * 2 + 2), 16)
    for (let x = 0; x < COLUMNS; x += 1) if (bits & (1 << x)) cells.push({ x, y })
  }
  const hue = parseInt(hash.slice(-4), 16) % 360
  return { cells, hue: Number.isNaN(hue) ? 0 : hue }
}

/** The hash as people compare it. */
export function shortHash(hash: string): string {
  return hash.slice(0, 8)
}
