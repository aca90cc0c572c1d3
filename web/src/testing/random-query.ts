/** Queries that nobody would type, and some that people do: for tests. */
const PIECES = [
  ...['milk', 'Café', 'cat:food', 'cat:"Eating out"', 'kat:none', 'tag:trip', 'tag:"a b"', 'amount:>50', 'amount:10..20'],
  ...['date:2026-Q1', 'date:last-30d', 'cur:EUR', 'OR', 'ODER', '|', 'AND', 'NOT', '-', '--', '(', ')', '()', '"', '„', '”'],
  ...['\\', ':', '::', 'x:', 'x:y', 'cat:', '"OR"', ' ', '  ', '\n', '\t', '…', '😀', 'ß', '"\\""', 'https://a', '10:30', '>', '..'],
]

/** Makes the same texts for the same seed. */
export function randomQuery(seed: number): () => string {
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return () => {
    let text = ''
    for (let count = next(10); count > 0; count -= 1) text += (PIECES[next(PIECES.length)] ?? '') + (next(3) > 0 ? ' ' : '')
    return text
  }
}
