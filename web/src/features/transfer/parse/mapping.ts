/** How the rows of a file become expenses: guessed, then the person's to change, then remembered for files alike. */
import { detectDecimalMark, parseDecimal, type DecimalMark } from './amounts'
import { guessColumns, type Columns } from './columns'
import { DATE_ORDERS, detectDateOrders, type DateOrder } from './dates'
import { isOwnLayout } from './own-layout'

export interface Mapping {
  columns: Columns
  dateOrder: DateOrder
  decimalMark: DecimalMark
  /** True where money that was spent has a minus, as in the exports of banks. Here it has none. */
  spendingNegative: boolean
  /** For rows that name no currency. */
  currency: string
  tagSeparator: string
}

/** What a guess leaves open, so that the person is asked. */
export interface Doubts {
  /** Orders that every date of the file can have; more than one is a doubt. */
  dateOrders: DateOrder[]
  /** True where every amount can be read with both marks, to different effect. */
  decimalMark: boolean
}

export const NO_DOUBTS: Doubts = { dateOrders: [], decimalMark: false }

/** Which conventions a person lives with, for what the file leaves open. */
export interface Habits {
  american: boolean
  decimalMark: DecimalMark
  currency: string
}

/** Rows that are looked at to guess columns and signs. All are where one row may decide. */
const SAMPLE = 200

/** Guesses how to read a table: its names, and the fields of its rows. */
export function guessMapping(names: readonly string[], rows: readonly (readonly string[])[], habits: Habits) {
  const sample = rows.slice(0, SAMPLE)
  const columns = guessColumns(names, sample)
  const own = isOwnLayout(names)
  const doubts = own ? NO_DOUBTS : findDoubts(columns, rows, habits)
  const decimalMark = own ? '.' : (detectDecimalMark(amountsOf(columns, rows)) ?? habits.decimalMark)
  const mapping: Mapping = {
    columns,
    dateOrder: own ? 'ymd' : (doubts.dateOrders[0] ?? 'ymd'),
    decimalMark,
    spendingNegative: !own && isMostlyNegative(columns, sample, decimalMark),
    currency: habits.currency,
    tagSeparator: own || valuesOf(columns.tags, sample).some((text) => text.includes(';')) ? ';' : ',',
  }
  return { mapping, doubts, own }
}

/** What the chosen columns leave open. */
export function findDoubts(columns: Columns, rows: readonly (readonly string[])[], habits: Habits): Doubts {
  const amounts = amountsOf(columns, rows)
  return {
    dateOrders: detectDateOrders(new Set(valuesOf(columns.date, rows)), habits.american),
    decimalMark: detectDecimalMark(amounts) === null && amounts.some((text) => /[.,]/.test(text)),
  }
}

function amountsOf(columns: Columns, rows: readonly (readonly string[])[]): string[] {
  return [columns.amount, columns.debit, columns.credit].flatMap((column) => valuesOf(column, rows))
}

function valuesOf(column: number | undefined, rows: readonly (readonly string[])[]): string[] {
  if (column === undefined) return []
  return rows.map((fields) => (fields[column] ?? '').trim()).filter(Boolean)
}

function isMostlyNegative(columns: Columns, rows: readonly (readonly string[])[], mark: DecimalMark): boolean {
  const signs = valuesOf(columns.amount, rows).map((text) => (parseDecimal(text, mark)?.startsWith('-') ? -1 : 1))
  return signs.reduce((sum, sign) => sum + sign, 0) < 0
}

/** Files with the same names of columns are read alike. */
export function signatureOf(names: readonly string[]): string {
  return names.map((name) => name.trim().toLowerCase()).join('\u001f')
}

const STORAGE_KEY = 'threefold.import.mappings'
/** Most mappings that are remembered; the oldest go first. */
const MAX_REMEMBERED = 20

type Store = Pick<Storage, 'getItem' | 'setItem'>

/** The mapping that was last used for such a file; null where there is none that makes sense of it. */
export function recallMapping(store: Store | null, names: readonly string[]): Mapping | null {
  const remembered = read(store).find(([signature]) => signature === signatureOf(names))
  return remembered && isMapping(remembered[1], names.length) ? remembered[1] : null
}

export function rememberMapping(store: Store | null, names: readonly string[], mapping: Mapping) {
  // Columns without names say nothing of the next file.
  if (names.every((name) => name === '')) return
  const signature = signatureOf(names)
  const others = read(store).filter(([known]) => known !== signature)
  try {
    store?.setItem(STORAGE_KEY, JSON.stringify([[signature, mapping], ...others].slice(0, MAX_REMEMBERED)))
  } catch {
    // It is guessed again next time.
  }
}

function read(store: Store | null): [string, unknown][] {
  try {
    const stored: unknown = JSON.parse(store?.getItem(STORAGE_KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter((each) => Array.isArray(each) && typeof each[0] === 'string') : []
  } catch {
    return []
  }
}

function isMapping(value: unknown, width: number): value is Mapping {
  if (typeof value !== 'object' || value === null) return false
  const mapping = value as Partial<Record<keyof Mapping, unknown>>
  const columns = mapping.columns
  return (
    typeof columns === 'object' &&
    columns !== null &&
    Object.values(columns).every((column) => Number.isInteger(column) && Number(column) >= 0 && Number(column) < width) &&
    DATE_ORDERS.some((order) => order === mapping.dateOrder) &&
    (mapping.decimalMark === '.' || mapping.decimalMark === ',') &&
    typeof mapping.spendingNegative === 'boolean' &&
    typeof mapping.currency === 'string' &&
    typeof mapping.tagSeparator === 'string'
  )
}
