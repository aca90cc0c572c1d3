/** What stands ahead of the colon. */

export const OPERATORS = ['text', 'cat', 'tag', 'amount', 'date', 'currency'] as const
export type Operator = (typeof OPERATORS)[number]

/** Every way to write one, in every language at once: a link must mean the same to everybody. */
const ALIASES: Readonly<Record<string, Operator>> = {
  text: 'text',
  cat: 'cat',
  category: 'cat',
  kat: 'cat',
  kategorie: 'cat',
  tag: 'tag',
  tags: 'tag',
  amount: 'amount',
  betrag: 'amount',
  date: 'date',
  datum: 'date',
  currency: 'currency',
  cur: 'currency',
  währung: 'currency',
  waehrung: 'currency',
}

/** The operator that is meant; null for none that there is. */
export function canonicalOperator(written: string): Operator | null {
  const key = written.toLowerCase().normalize('NFC')
  return Object.hasOwn(ALIASES, key) ? (ALIASES[key] ?? null) : null
}
