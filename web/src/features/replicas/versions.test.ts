import { expect, test } from 'vitest'
import type { Expense } from '@/feed/expense'
import { agree, differs, newestOf, type Version } from './versions'

const coffee = {
  id: 'x',
  description: 'Coffee',
  amount: { amount: '3.20', currency: 'EUR', minorUnits: '320' },
  spentOn: '2026-11-22',
  category: null,
  notes: null,
  tags: ['a'],
  version: 1,
  revision: '9',
  deletedAt: null,
} as unknown as Expense
const dearer: Expense = { ...coffee, amount: { ...coffee.amount, amount: '3.40', minorUnits: '340' }, version: 2, revision: '10' }

const read = (replica: string, expense: Expense | null): Version => ({
  replica,
  reading: { state: 'read', revision: '10', expense, took: 2 },
})
const down: Version = { replica: '3', reading: { state: 'down' } }

test('the newest is the one of the latest revision, by number', () => {
  expect(newestOf([read('1', coffee), read('2', dearer), down])).toBe(dearer)
  expect(newestOf([down, read('1', null)])).toBeNull()
})

test('a field differs where its value does', () => {
  expect(differs(coffee, dearer, 'amount')).toBe(true)
  expect(differs(coffee, dearer, 'description')).toBe(false)
  expect(differs({ ...coffee, tags: ['a', 'b'] }, coffee, 'tags')).toBe(true)
  expect(differs(null, coffee, 'description')).toBe(true)
})

test('they agree where all that answered hold the same', () => {
  expect(agree([read('1', coffee), read('2', { ...coffee }), down])).toBe(true)
  expect(agree([read('1', coffee), read('2', dearer), down])).toBe(false)
  expect(agree([read('1', coffee), read('2', null)])).toBe(false)
  expect(agree([read('1', null), read('2', null)])).toBe(true)
})

test('one answer is not an agreement', () => {
  expect(agree([read('1', coffee), down])).toBe(false)
})
