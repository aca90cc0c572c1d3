import { describe, expect, it } from 'vitest'
import type { Row } from '../parse/rows'
import { compare, readExisting } from './existing'
import type { Existing } from './operations'

function row(number: number, description: string): Row {
  return { number: BigInt(number), line: number + 2, spentOn: '2026-01-01', description, amount: '1.00', currency: 'EUR', category: null, notes: null, tags: [] }
}

function expense(id: string, description: string): Existing {
  return { id, spentOn: '2026-01-01', description, amount: { amount: '1.00', currency: 'EUR' } }
}

const { signal } = new AbortController()
const idOf = ({ number }: Row) => `file-${number}`

describe('comparing with what is there', () => {
  it('knows rows of the same file, and twins by their count', async () => {
    const rows = [row(0, 'Kiosk'), row(1, 'KIOSK'), row(2, 'kiosk'), row(3, 'Café'), row(4, 'Bakery')]
    const existing = {
      live: [expense('file-0', 'Kiosk'), expense('a', 'Kiosk'), expense('b', 'cafe'), expense('c', 'Other')],
      deleted: [expense('file-4', 'Bakery')],
      complete: true,
    }
    expect(await compare(rows, idOf, existing, signal)).toEqual({
      there: new Set([0n, 4n]),
      trashed: new Set([4n]),
      alike: new Set([1n, 3n]),
    })
  })

  it('reads page by page, deleted ones as well', async () => {
    const asked: string[] = []
    const operations = {
      existing: (range: { deleted: boolean }, after: string | null) => {
        asked.push(`${range.deleted} ${after}`)
        return Promise.resolve({ nodes: [expense(`${asked.length}`, 'x')], next: after === null ? 'next' : null })
      },
    }
    const patience = { insist: <Result>(ask: () => Promise<Result>) => ask() }
    const found = await readExisting(operations, patience, { from: '2026-01-01', to: '2026-01-02' }, signal)
    expect(asked).toEqual(['false null', 'false next', 'true null', 'true next'])
    expect([found.live.length, found.deleted.length, found.complete]).toEqual([2, 2, true])
  })
})
