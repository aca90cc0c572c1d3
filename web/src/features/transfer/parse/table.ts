/** A file as a table: where its lines of names stand, and its rows behind it. */
import { looksLikeAmount } from './amounts'
import { DATE_ORDERS, parseDate } from './dates'
import type { CsvRecord } from './records'

/** Records that are looked at to find out how wide the table is, and where it begins. */
const LOOKED_AT = 200

/** Where the table stands in the file, as positions among its records. */
export interface Layout {
  /** The record with the names of the columns; null where there is none. */
  header: number | null
  /** The first record with data. */
  first: number
  /** Number of columns. */
  width: number
}

/** Finds the table behind whatever a bank writes before it. */
export function detectLayout(records: readonly CsvRecord[]): Layout {
  const looked = records.slice(0, LOOKED_AT)
  const width = mostFrequent(looked.map(({ fields }) => fields.length))
  const begin = Math.max(0, looked.findIndex(({ fields }) => fields.length === width && fields.filter(Boolean).length > 1))
  const named = isHeader(looked[begin])
  return { header: named ? begin : null, first: named ? begin + 1 : begin, width }
}

/** The layout with the names in another record, or without names. */
export function layoutWith(records: readonly CsvRecord[], header: number | null): Layout {
  const looked = records.slice(header ?? 0, (header ?? 0) + LOOKED_AT)
  const width = header === null ? mostFrequent(looked.map(({ fields }) => fields.length)) : (records[header]?.fields.length ?? 0)
  const first = header === null ? records.findIndex(({ fields }) => fields.length === width) : header + 1
  return { header, first: Math.max(0, first), width }
}

/** Names of the columns; empty texts where there are none. */
export function columnNames(records: readonly CsvRecord[], { header, width }: Layout): string[] {
  const names = header === null ? [] : (records[header]?.fields ?? [])
  return Array.from({ length: width }, (_, index) => (names[index] ?? '').trim())
}

/** A row of names has no dates and no amounts. */
function isHeader(record: CsvRecord | undefined): boolean {
  if (!record) return false
  return !record.fields.some((field) => field.trim() && (isDate(field) || looksLikeAmount(field)))
}

export function isDate(text: string): boolean {
  return DATE_ORDERS.some((order) => parseDate(text, order) !== null)
}

/** Of equally frequent ones the greatest. */
function mostFrequent(numbers: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1)
  const [best] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || b - a)
  return best?.[0] ?? 0
}
