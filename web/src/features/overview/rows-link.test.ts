import { expect, it } from 'vitest'
import { rowsLink } from './rows-link'

const month = { date: '2026-11', currency: 'EUR' }

it.each([
  [month, 'date:2026-11 currency:EUR'],
  [{ ...month, category: { name: 'Eating out' }, tag: 'trip' }, 'cat:"Eating out" date:2026-11 tag:trip currency:EUR'],
  [{ ...month, category: null }, 'cat:none date:2026-11 currency:EUR'],
  [{ date: '2025-12..2026-11', currency: 'EUR' }, 'date:2025-12..2026-11 currency:EUR'],
])('leads from %j to the list', (rows, q) => {
  expect(rowsLink(rows)).toEqual({ name: 'expenses', query: { q } })
})
