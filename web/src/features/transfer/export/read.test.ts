import { describe, expect, it, vi } from 'vitest'
import { csvWriter, jsonWriter, type ExportedExpense } from './formats'
import { writeAll, type ExportedPage } from './read'

function expense(id: string): ExportedExpense {
  const at = '2026-11-22T10:00:00Z'
  return { id, description: id, amount: { amount: '1.00', currency: 'EUR' }, spentOn: '2026-11-22', category: null, notes: null, tags: [], createdAt: at, updatedAt: at }
}

function pages(...all: string[][]) {
  return vi.fn((after: string | null): Promise<ExportedPage> => {
    const index = after === null ? 0 : Number(after)
    return Promise.resolve({
      expenses: (all[index] ?? []).map(expense),
      total: after === null ? all.flat().length : null,
      next: index + 1 < all.length ? String(index + 1) : null,
    })
  })
}

const { signal } = new AbortController()

describe('an export', () => {
  it('writes every expense of all pages once, one page after the other', async () => {
    const read = pages(['a', 'b'], ['b', 'c'], ['d'])
    const progress = vi.fn()
    const { parts, count } = await writeAll(read, jsonWriter(), progress, signal)
    const written = JSON.parse(parts.join('')) as { id: string }[]
    expect(written.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    expect(count).toBe(4)
    expect(read.mock.calls).toEqual([[null], ['1'], ['2']])
    expect(progress.mock.calls).toEqual([[2, 5], [3, 5], [4, 5]])
  })

  it('of nothing is a file without rows', async () => {
    const { parts, count } = await writeAll(pages([]), csvWriter(false), vi.fn(), signal)
    expect(parts.join('')).toBe('date,description,amount,currency,category,notes,tags\n')
    expect(count).toBe(0)
  })

  it('ends where it is cancelled or no replica answers', async () => {
    const cancel = new AbortController()
    const read = pages(['a'], ['b'], ['c'])
    const cancelled = writeAll(read, jsonWriter(), () => cancel.abort(), cancel.signal)
    await expect(cancelled).rejects.toThrow()
    expect(read).toHaveBeenCalledTimes(2)
    await expect(writeAll(() => Promise.reject(new Error('gone')), jsonWriter(), vi.fn(), signal)).rejects.toThrow('gone')
  })
})
