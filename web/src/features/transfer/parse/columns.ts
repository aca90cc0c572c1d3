/** Which column holds what: guessed from its name, in English and German, and from what stands in it. */
import { looksLikeAmount } from './amounts'
import { fold } from '@/format/fold'
import { isDate } from './table'

/** What a column can be for. Amounts are in one column, or in two, one for each direction. */
export const FIELDS = ['date', 'description', 'amount', 'debit', 'credit', 'currency', 'category', 'tags', 'notes'] as const
export type Field = (typeof FIELDS)[number]
export type Columns = Partial<Record<Field, number>>

/** Names of columns, the best first. A name that only holds one of them counts less. */
const NAMES: Record<Field, readonly string[]> = {
  date: ['date', 'datum', 'buchung', 'buchungstag', 'buchungsdatum', 'transaction date', 'booking date', 'posting date', 'posted', 'umsatzdatum', 'belegdatum', 'completed date', 'started date', 'valuta', 'value date', 'wertstellung'],
  description: ['description', 'beschreibung', 'payee', 'merchant', 'empfanger', 'zahlungsempfanger', 'beguenstigter', 'begunstigter', 'auftraggeber', 'name', 'counterparty', 'titel', 'title', 'buchungstext', 'verwendungszweck', 'details', 'memo', 'narrative', 'transaction', 'text', 'betreff', 'reference'],
  amount: ['amount', 'betrag', 'umsatz', 'transaction amount', 'value', 'wert', 'summe', 'sum', 'total'],
  debit: ['debit', 'soll', 'paid out', 'money out', 'withdrawal', 'ausgang', 'ausgaben', 'ausgabe', 'belastung', 'lastschrift', 'spending'],
  credit: ['credit', 'haben', 'paid in', 'money in', 'deposit', 'eingang', 'einnahmen', 'einnahme', 'gutschrift', 'income'],
  currency: ['currency', 'wahrung', 'waehrung', 'ccy', 'devise'],
  category: ['category', 'kategorie', 'group', 'type'],
  tags: ['tags', 'tag', 'labels', 'label', 'schlagworter', 'schlagworte', 'stichworte'],
  notes: ['notes', 'note', 'notiz', 'notizen', 'bemerkung', 'kommentar', 'comment', 'memo', 'verwendungszweck', 'purpose', 'details', 'reference', 'buchungstext'],
}

/** Columns that are found first take what suits them best. */
const ORDER: readonly Field[] = ['date', 'debit', 'credit', 'amount', 'currency', 'category', 'tags', 'description', 'notes']

/** Names that hold one of the above and mean something else. */
const OTHER = /balance|saldo|kontostand|account|konto(?!text)|iban|bic|number|nummer|card|karte|\bid\b|fee|gebuhr/

export function guessColumns(names: readonly string[], sample: readonly (readonly string[])[]): Columns {
  const folded = names.map((name) => fold(name.trim()))
  const found: Columns = {}
  const taken = new Set<number>()
  for (const field of ORDER) {
    // Two columns of amounts are better than none, and one of them is not enough.
    if (field === 'amount' && found.debit !== undefined && found.credit !== undefined) continue
    const best = bestNamed(field, folded, sample, taken)
    if (best === undefined) continue
    found[field] = best
    taken.add(best)
  }
  if (found.debit === undefined || found.credit === undefined) {
    // One direction alone is what another program calls the amount.
    for (const column of [found.debit, found.credit]) if (column !== undefined) taken.delete(column)
    found.debit = undefined
    found.credit = undefined
    found.amount ??= bestNamed('amount', folded, sample, taken) ?? byContent('amount', sample, taken)
  }
  if (found.amount !== undefined) taken.add(found.amount)
  for (const field of ['date', 'currency', 'description'] as const) {
    if (found[field] !== undefined) continue
    const column = byContent(field, sample, taken)
    if (column === undefined) continue
    found[field] = column
    taken.add(column)
  }
  return found
}

function bestNamed(field: Field, names: readonly string[], sample: readonly (readonly string[])[], taken: ReadonlySet<number>) {
  let best: number | undefined
  let bestScore = 0
  names.forEach((name, column) => {
    if (taken.has(column) || !fits(field, sample, column)) return
    const score = scoreOf(field, name)
    if (score > bestScore) [best, bestScore] = [column, score]
  })
  return best
}

/** 0 where the name says nothing of the field. */
function scoreOf(field: Field, name: string): number {
  const wanted = NAMES[field]
  const exact = wanted.indexOf(name)
  if (exact >= 0) return 200 - 2 * exact
  if (OTHER.test(name)) return 0
  const words = name.split(/[^\p{L}]+/u)
  const word = wanted.findIndex((each) => words.includes(each) || (each.includes(' ') && name.includes(each)))
  if (word >= 0) return 199 - 2 * word
  const part = wanted.findIndex((each) => each.length > 4 && name.includes(each))
  return part >= 0 ? 50 - part : 0
}

/** A date must be one, an amount must be one; a column without anything may be everything. */
function fits(field: Field, sample: readonly (readonly string[])[], column: number): boolean {
  if (field === 'date') return share(sample, column, isDate) >= 0.8
  if (field === 'amount' || field === 'debit' || field === 'credit') return share(sample, column, looksLikeAmount) >= 0.8
  return true
}

/** The column that looks like the field, whatever its name. */
function byContent(field: Field, sample: readonly (readonly string[])[], taken: ReadonlySet<number>): number | undefined {
  const width = Math.max(0, ...sample.map(({ length }) => length))
  const free = Array.from({ length: width }, (_, column) => column).filter((column) => !taken.has(column))
  const filled = free.filter((column) => sample.some((fields) => fields[column]?.trim()))
  switch (field) {
    case 'date':
      return filled.find((column) => share(sample, column, isDate) >= 0.8)
    case 'amount':
      // Amounts have decimals more often than numbers of accounts have.
      return filled
        .filter((column) => share(sample, column, (text) => looksLikeAmount(text) && !isDate(text)) >= 0.8)
        .sort((a, b) => share(sample, b, hasDecimals) - share(sample, a, hasDecimals))[0]
    case 'currency':
      return filled.find((column) => share(sample, column, (text) => /^[A-Z]{3}$/.test(text)) >= 0.9)
    case 'description':
      return filled
        .filter((column) => share(sample, column, (text) => !isDate(text) && !looksLikeAmount(text)) >= 0.5)
        .sort((a, b) => different(sample, b) - different(sample, a))[0]
    default:
      return undefined
  }
}

/** Which part of the filled cells of a column is so; 1 where none is filled. */
function share(sample: readonly (readonly string[])[], column: number, is: (text: string) => boolean): number {
  const texts = sample.map((fields) => (fields[column] ?? '').trim()).filter(Boolean)
  return texts.length === 0 ? 1 : texts.filter(is).length / texts.length
}

function hasDecimals(text: string): boolean {
  return /[.,]\d{2}\b/.test(text)
}

function different(sample: readonly (readonly string[])[], column: number): number {
  return new Set(sample.map((fields) => fields[column])).size
}
