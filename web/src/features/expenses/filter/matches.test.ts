import { describe, expect, it } from 'vitest'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { matches, type Matched } from './matches'

function expense(id: number, spentOn: string, amount: string, currency: string, more: Partial<Matched> = {}) {
  const plain: Matched = {
    description: `Expense ${id}`,
    amount: { amount, currency },
    spentOn,
    category: null,
    notes: null,
    tags: [],
    deletedAt: null,
  }
  return { id, ...plain, ...more }
}

/** The rows of the API's own test, and what it finds there. */
const rows = [
  expense(1, '2026-01-01', '10.00', 'EUR', { description: 'Café Müller', tags: ['Trip 2026', 'food'] }),
  expense(2, '2026-01-02', '-10.50', 'EUR', {
    description: 'Train',
    notes: 'to the cafeteria',
    tags: ['Trip 2026'],
    category: { id: 'c50' },
  }),
  expense(3, '2026-01-03', '10', 'JPY', { category: { id: 'c51' } }),
  expense(4, '2026-01-04', '10.001', 'KWD', { deletedAt: '1970-01-01T00:00:00Z' }),
]

const found = (filter: ExpenseFilter) => rows.filter((row) => matches(filter, row)).map(({ id }) => id)

describe('a filter finds in memory what it finds on the replicas', () => {
  it.each<[ExpenseFilter, number[]]>([
    [{}, [1, 2, 3]],
    [{ text: 'cafe' }, [1, 2]],
    [{ text: 'CAFÉ mul' }, [1]],
    [{ text: '2026 trip' }, [1, 2]],
    [{ text: 'afe' }, []],
    [{ text: '!!' }, []],
    [{ text: '  ' }, [1, 2, 3]],
    [{ text: "' OR 1=1 --" }, []],
    [{ tags: ['Trip 2026'] }, [1, 2]],
    [{ tags: ['Trip 2026', 'food'] }, [1]],
    [{ tags: ['trip'] }, []],
    [{ categoryIds: ['c50'] }, [2]],
    [{ categoryIds: [] }, [1, 2, 3]],
    [{ categoryIds: ['c50'], uncategorised: true }, [1, 2]],
    [{ categoryIds: ['c50'], uncategorised: false }, [2]],
    [{ uncategorised: true }, [1]],
    [{ uncategorised: false }, [2, 3]],
    [{ minAmount: '10' }, [1, 3]],
    [{ maxAmount: '-10.5' }, [2]],
    [{ minAmount: '-10.4999', maxAmount: '9.9999' }, []],
    [{ minAmount: '10.0001' }, []],
    [{ spentFrom: '2026-01-02', spentTo: '2026-01-03' }, [2, 3]],
    [{ currency: 'JPY' }, [3]],
    [{ deleted: true, text: 'expense' }, [4]],
    [{ and: [{ text: 'cafe' }, { currency: 'EUR' }] }, [1, 2]],
    [{ or: [{ currency: 'JPY' }, { text: 'müller' }] }, [1, 3]],
    [{ or: [] }, [1, 2, 3]],
    [{ not: { categoryIds: ['c50'] } }, [1, 3]],
    [{ not: {} }, []],
    [{ not: { or: [{ currency: 'JPY' }, { tags: ['food'] }] }, deleted: false }, [2]],
  ])('%j', (filter, ids) => expect(found(filter)).toEqual(ids))

  it('looks at 256 words, of which the notes are the last', () => {
    const notes = Array.from({ length: 400 }, (_, index) => `wort${index}`).join(' ')
    const long = expense(5, '2026-01-01', '1', 'EUR', { description: 'Zug', tags: ['Reise'], notes })
    for (const text of ['zug', 'reise', 'wort0', 'wort253']) expect(matches({ text }, long), text).toBe(true)
    expect(matches({ text: 'wort254' }, long)).toBe(false)
  })
})
