/** One row of a file: what it becomes, or why it cannot. */
import { expenseAmount, parseDecimal, type AmountFault } from './amounts'
import type { Field } from './columns'
import { parseDate } from './dates'
import type { Mapping } from './mapping'
import { splitTags, unguard } from './own-layout'
import type { CsvRecord } from './records'
import { FIRST_YEAR, LAST_YEAR, MAX_CATEGORY_NAME, MAX_DESCRIPTION, MAX_NOTES, MAX_TAG, MAX_TAGS } from '../limits'

/** An expense as the file has it. Its category is a name yet. */
export interface Row {
  /** See `rowNumber`. */
  number: bigint
  line: number
  spentOn: string
  description: string
  amount: string
  currency: string
  category: string | null
  notes: string | null
  tags: string[]
}

export type FaultCode =
  | 'openQuote'
  | 'tooManyFields'
  | 'noDate'
  | 'date'
  | 'year'
  | 'noDescription'
  | 'noAmount'
  | 'bothAmounts'
  | 'noCurrency'
  | 'currency'
  | 'tooLong'
  | 'tooManyTags'
  | 'refused'
  | AmountFault

/** Why a row is wrong: the first reason found. */
export interface Fault {
  number: bigint
  line: number
  code: FaultCode
  /** The text that is wrong, shortened. */
  text: string
  /** The field that is wrong, where one is. */
  field?: Field
  /** As they stand in the file. */
  fields: readonly string[]
}

/** Characters of a wrong text that are shown. */
const SHOWN = 40

/**
 * Number of a row, from which its expense gets its id: the position of its record, counted from 0 behind the first one,
 * as in `threefold import`, where that one is the header. It does not depend on what the person says of the file.
 */
export function rowNumber(record: CsvRecord): bigint {
  return BigInt(record.index) - 1n
}

/** Reads one record. `own` files have guarded formulas. */
export function readRow(record: CsvRecord, mapping: Mapping, width: number, own: boolean): Row | Fault {
  const at = { number: rowNumber(record), line: record.line }
  const fault = (code: FaultCode, text = '', field?: Field): Fault => ({
    ...at,
    code,
    text: Array.from(text.slice(0, 4 * SHOWN)).slice(0, SHOWN).join(''),
    ...(field && { field }),
    fields: record.fields,
  })
  const raw = (field: Field) => {
    const column = mapping.columns[field]
    return column === undefined ? '' : (record.fields[column] ?? '')
  }
  const text = (field: Field) => (own ? unguard(raw(field)) : raw(field)).trim()

  if (!record.closed) return fault('openQuote')
  if (record.fields.slice(width).some((field) => field.trim())) return fault('tooManyFields')

  const date = text('date')
  if (!date) return fault('noDate', '', 'date')
  const spentOn = parseDate(date, mapping.dateOrder)
  if (!spentOn) return fault('date', date, 'date')
  const year = Number(spentOn.slice(0, 4))
  if (year < FIRST_YEAR || year > LAST_YEAR) return fault('year', date, 'date')

  // A line end within a description is a space to everybody but the file.
  const description = text('description').replace(/\s*[\r\n]+\s*/g, ' ')
  if (!description) return fault('noDescription', '', 'description')
  const currency = (text('currency') || mapping.currency).toUpperCase()
  if (!currency) return fault('noCurrency', '', 'currency')
  if (!/^[A-Z]{3}$/.test(currency)) return fault('currency', currency, 'currency')

  const decimal = readAmount(raw, mapping)
  if ('code' in decimal) return fault(decimal.code, decimal.text, decimal.field)
  const amount = expenseAmount(decimal.decimal, currency)
  if ('fault' in amount) return fault(amount.fault, decimal.decimal, decimal.field)

  const category = text('category')
  // Spaces around notes mean something.
  const notes = own ? unguard(raw('notes')) : raw('notes')
  const tags = splitTags(text('tags'), mapping.tagSeparator)
  if (tags.length > MAX_TAGS) return fault('tooManyTags', '', 'tags')
  const tooLong = ([
    ['description', description, MAX_DESCRIPTION],
    ['category', category, MAX_CATEGORY_NAME],
    ['notes', notes, MAX_NOTES],
    ...tags.map((tag) => ['tags', tag, MAX_TAG] as const),
  ] as const).find(([, value, most]) => value.length > most && Array.from(value).length > most)
  if (tooLong) return fault('tooLong', tooLong[1], tooLong[0])

  return {
    ...at,
    spentOn,
    description,
    amount: amount.amount,
    currency,
    category: category || null,
    notes: notes.trim() ? notes : null,
    tags,
  }
}

type ReadAmount = { decimal: string; field: Field } | { code: FaultCode; text: string; field: Field }

/** What was spent, positive; what came back, negative. */
function readAmount(raw: (field: Field) => string, { columns, decimalMark, spendingNegative }: Mapping): ReadAmount {
  if (columns.debit === undefined && columns.credit === undefined) {
    const text = raw('amount').trim()
    if (!text) return { code: 'noAmount', text, field: 'amount' }
    const decimal = parseDecimal(text, decimalMark)
    if (decimal === null) return { code: 'notANumber', text, field: 'amount' }
    return { decimal: spendingNegative ? negated(decimal) : decimal, field: 'amount' }
  }
  // The column says the direction, whatever sign stands in it. Some banks write a zero into the other one.
  const given: { decimal: string; field: Field }[] = []
  for (const field of ['debit', 'credit'] as const) {
    const text = raw(field).trim()
    if (!text) continue
    const decimal = parseDecimal(text, decimalMark)?.replace('-', '')
    if (decimal === undefined) return { code: 'notANumber', text, field }
    if (/[1-9]/.test(decimal)) given.push({ decimal: field === 'debit' ? decimal : `-${decimal}`, field })
  }
  const [first, second] = given
  if (!first) return { code: 'noAmount', text: '', field: 'debit' }
  return second ? { code: 'bothAmounts', text: '', field: 'credit' } : first
}

function negated(decimal: string): string {
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`
}

export function isFault(read: Row | Fault): read is Fault {
  return 'code' in read
}
