import { describe, expect, it } from 'vitest'
import { guessMapping } from '../parse/mapping'
import { records } from '../parse/records'
import { readRow } from '../parse/rows'
import { columnNames, detectLayout } from '../parse/table'
import { csvWriter, jsonWriter, type ExportedExpense } from './formats'

const EXPENSE: ExportedExpense = {
  id: '00000000-0000-0000-0000-000000000001',
  description: '=HYPERLINK("x"), "quoted"',
  amount: { amount: '-1234567890123.45', currency: 'EUR' },
  spentOn: '2026-11-22',
  category: { name: '@home' },
  notes: " two\nlines '=",
  tags: ['-trip', 'b c'],
  createdAt: '2026-11-22T10:00:00Z',
  updatedAt: '2026-11-22T10:00:00Z',
}
const PLAIN: ExportedExpense = { ...EXPENSE, description: 'Café', category: null, notes: null, tags: [] }

describe('exported CSV', () => {
  const text = (mark = false) => csvWriter(mark).begin + csvWriter(mark).rows([EXPENSE, PLAIN], true)

  it('holds no formula', () => {
    const [, first] = [...records(text(), ',')]
    expect(first?.fields).toEqual([
      '2026-11-22',
      `'=HYPERLINK("x"), "quoted"`,
      '-1234567890123.45',
      'EUR',
      "'@home",
      " two\nlines '=",
      "'-trip;b c",
    ])
  })

  it('is read by the import as what it was', () => {
    const all = [...records(text(), ',')]
    const layout = detectLayout(all)
    const names = columnNames(all, layout)
    const { mapping, own } = guessMapping(names, all.slice(1).map(({ fields }) => fields), { american: true, decimalMark: ',', currency: 'USD' })
    const read = all.slice(layout.first).map((record) => readRow(record, mapping, layout.width, own))
    expect(read).toMatchObject([
      {
        spentOn: '2026-11-22',
        description: EXPENSE.description,
        amount: '-1234567890123.45',
        currency: 'EUR',
        category: '@home',
        notes: EXPENSE.notes,
        tags: EXPENSE.tags,
      },
      { description: 'Café', category: null, notes: null, tags: [] },
    ])
  })

  it('begins with a byte order mark where that is wanted', () => {
    expect(text(true).charCodeAt(0)).toBe(0xfeff)
    expect(text(false).startsWith('date,description,amount,currency,category,notes,tags\n')).toBe(true)
  })
})

describe('exported JSON', () => {
  it('is one array with exact amounts, however many parts it is written in', () => {
    const { begin, rows, end } = jsonWriter()
    const parsed: unknown = JSON.parse(begin + rows([EXPENSE], true) + rows([], false) + rows([PLAIN], false) + end)
    expect(parsed).toMatchObject([{ amount: '-1234567890123.45', category: '@home' }, { category: null, notes: null }])
    expect(JSON.parse(begin + end)).toEqual([])
  })
})
