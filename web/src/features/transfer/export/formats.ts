/** The two forms in which expenses leave: text for spreadsheets and imports, data for programs. */
import Papa from 'papaparse'
import { guard, OWN_COLUMNS } from '../parse/own-layout'

/** An expense as it is exported. */
export interface ExportedExpense {
  id: string
  description: string
  amount: { amount: string; currency: string }
  spentOn: string
  category: { name: string } | null
  notes: string | null
  tags: readonly string[]
  createdAt: string
  updatedAt: string
}

export const FORMATS = ['csv', 'json'] as const
export type Format = (typeof FORMATS)[number]

/** How a file is written, part by part. */
export interface Writer {
  type: string
  begin: string
  /** `first` where nothing was written before. */
  rows: (expenses: readonly ExportedExpense[], first: boolean) => string
  end: string
}

const BYTE_ORDER_MARK = '\ufeff'

/**
 * The layout that `threefold import` and this page read. Every text is guarded against being run as a formula, see
 * `guard`; amounts are numbers and need none. A semicolon separates tags, so one within a tag is written as a comma.
 */
export function csvWriter(byteOrderMark: boolean): Writer {
  const write = (rows: string[][]) => `${Papa.unparse(rows, { newline: '\n' })}\n`
  return {
    type: 'text/csv;charset=utf-8',
    begin: (byteOrderMark ? BYTE_ORDER_MARK : '') + write([[...OWN_COLUMNS]]),
    rows: (expenses) => (expenses.length > 0 ? write(expenses.map(csvRow)) : ''),
    end: '',
  }
}

function csvRow({ spentOn, description, amount, category, notes, tags }: ExportedExpense): string[] {
  const texts = [category?.name ?? '', notes ?? '', tags.map((tag) => tag.replaceAll(';', ',')).join(';')]
  return [spentOn, guard(description), amount.amount, amount.currency, ...texts.map(guard)]
}

/** One array of objects, an expense a line. */
export function jsonWriter(): Writer {
  return {
    type: 'application/json',
    begin: '[',
    rows: (expenses, first) => expenses.map((expense, index) => (first && index === 0 ? '\n' : ',\n') + jsonRow(expense)).join(''),
    end: '\n]\n',
  }
}

function jsonRow({ id, spentOn, description, amount, category, notes, tags, createdAt, updatedAt }: ExportedExpense): string {
  return JSON.stringify({
    id,
    date: spentOn,
    description,
    amount: amount.amount,
    currency: amount.currency,
    category: category?.name ?? null,
    notes,
    tags,
    createdAt,
    updatedAt,
  })
}
