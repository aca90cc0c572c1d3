/** Lower and upper bounds as people write them: `>50`, `<=100`, `10..20`, `10..`, or the thing itself. */

export interface Bound<Value> {
  value: Value
  /** False for `>` and `<`. */
  inclusive: boolean
}

export interface Bounds<Value> {
  least: Bound<Value> | null
  most: Bound<Value> | null
}

/** Reads bounds of whatever `read` understands; null where it does not. */
export function readBounds<Value>(text: string, read: (text: string) => Value | null): Bounds<Value> | null {
  const [, sign, rest = ''] = /^(>=|<=|=>|=<|>|<|=|≥|≤)\s*(.*)$/s.exec(text) ?? []
  if (sign) {
    const value = read(rest)
    if (value === null) return null
    const bound = { value, inclusive: sign !== '>' && sign !== '<' }
    return {
      least: /[>≥]/.test(sign) || sign === '=' ? bound : null,
      most: /[<≤]/.test(sign) || sign === '=' ? bound : null,
    }
  }
  const parts = text.split(/\.{2,3}|…/).map((part) => part.trim())
  if (parts.length > 2 || parts.every((part) => part === '')) return null
  const [first = '', second = first] = parts
  const [least, most] = [inclusive(first, read), inclusive(second, read)]
  return least === undefined || most === undefined ? null : { least, most }
}

/** Null for an open end; undefined for what cannot be read. */
function inclusive<Value>(text: string, read: (text: string) => Value | null): Bound<Value> | null | undefined {
  if (text === '') return null
  const value = read(text)
  return value === null ? undefined : { value, inclusive: true }
}
