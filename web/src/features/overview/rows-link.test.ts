import { expect, it } from 'vitest'
import { rowsLink, rowsQuery } from './rows-link'

const month = { date: '2026-11', currency: 'EUR' }

it('leads to the list', () => {
  expect(rowsLink(month)).toEqual({ name: 'expenses', query: { q: 'date:2026-11 currency:EUR' } })
})

it('names categories and tags, with quotation marks where words would fall apart', () => {
  expect(rowsQuery({ ...month, category: { name: 'Eating out' }, tag: 'trip' })).toBe(
    'cat:"Eating out" tag:trip date:2026-11 currency:EUR',
  )
  expect(rowsQuery({ ...month, category: { name: 'The "Bar" \\ Grill' } })).toBe(
    'cat:"The \\"Bar\\" \\\\ Grill" date:2026-11 currency:EUR',
  )
})

it('tells expenses without a category from a category of that name', () => {
  expect(rowsQuery({ ...month, category: null })).toContain('cat:none ')
  expect(rowsQuery({ ...month, category: { name: 'None' } })).toContain('cat:"None" ')
})
