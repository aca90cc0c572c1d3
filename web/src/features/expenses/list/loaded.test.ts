import { describe, expect, it } from 'vitest'
import type { Expense } from '@/feed/expense'
import type { Batch } from '@/feed/feed'
import { indexOf, inOrder, merge, withBatches, withPage, type Loaded, type Page, type Terms } from './loaded'
import { batch, categoryDeleted, categoryUpdated, change, dice, expense } from './testing'

const CATEGORIES = [
  { id: 'c1', name: 'Food', color: null },
  { id: 'c2', name: 'Rent', color: null },
]
const all: Terms = {
  accepts: ({ deletedAt }) => deletedAt === null,
  byCategory: false,
  category: (id) => CATEGORIES.find((category) => category.id === id) ?? null,
}

function page(rows: Expense[], revision: number, more = false): Page {
  return { rows, more, revision: String(revision) }
}

function ids(loaded: Loaded): string[] {
  return loaded.rows.map(({ id }) => id)
}

describe('pages', () => {
  it('are put one behind the other', () => {
    const first = withPage(null, page([expense('d'), expense('c')], 5, true))
    const second = withPage(first, page([expense('b'), expense('a')], 5))
    expect(ids(second)).toEqual(['d', 'c', 'b', 'a'])
    expect([first.end, second.end]).toEqual([{ spentOn: '2026-11-22', id: 'c' }, null])
  })

  it('bring a row once that has moved in between', () => {
    const first = withPage(null, page([expense('d'), expense('c')], 5, true))
    const moved = expense('d', { spentOn: '2026-11-01', revision: '6' })
    const second = withPage(first, page([expense('b'), moved], 6))
    expect(second.rows.map(({ id, spentOn }) => [id, spentOn])).toEqual([
      ['c', '2026-11-22'],
      ['b', '2026-11-22'],
      ['d', '2026-11-01'],
    ])
  })

  it('keep the newer of two', () => {
    const first = withPage(null, page([expense('d', { revision: '9', description: 'new' })], 9, true))
    const second = withPage(first, page([expense('d', { spentOn: '2026-11-01', revision: '4' })], 8))
    expect(second.rows.map(({ description }) => description)).toEqual(['new'])
  })
})

describe('changes', () => {
  const loaded = withPage(null, page([expense('d', { category: CATEGORIES[0] ?? null }), expense('b')], 5, true))

  it('put a new row in its place', () => {
    const { loaded: next, touched } = withBatches(loaded, [batch(6, change('ExpenseAdded', expense('c', { revision: '6' })))], all)
    expect(ids(next)).toEqual(['d', 'c', 'b'])
    expect(next.revision).toBe('6')
    expect([...touched]).toEqual(['c'])
  })

  it('leave out what lies behind the last page, and what the filter does not let through', () => {
    const behind = expense('z', { spentOn: '2020-01-01', revision: '6' })
    const other = expense('c', { revision: '6', deletedAt: '2026-11-22T10:00:00Z' })
    const { loaded: next } = withBatches(
      loaded,
      [batch(6, change('ExpenseAdded', behind), change('ExpenseAdded', other))],
      all,
    )
    expect(ids(next)).toEqual(['d', 'b'])
  })

  it('do nothing to a row that is newer', () => {
    const fresh = withPage(null, page([expense('d', { revision: '8', description: 'newest' })], 8))
    const { loaded: next, touched } = withBatches(
      fresh,
      [batch(7, change('ExpenseUpdated', expense('d', { revision: '7', description: 'older' }), expense('d')))],
      all,
    )
    expect(next.rows[0]?.description).toBe('newest')
    expect(touched.size).toBe(0)
  })

  it('rename and merge categories of rows', () => {
    const { loaded: renamed } = withBatches(loaded, [batch(6, categoryUpdated({ id: 'c1', name: 'Groceries', color: '#112233' }))], all)
    expect(renamed.rows[0]?.category).toEqual({ id: 'c1', name: 'Groceries', color: '#112233' })
    const { loaded: merged } = withBatches(renamed, [batch(7, categoryDeleted('c1', 'c2'))], all)
    expect(merged.rows[0]?.category).toEqual(CATEGORIES[1])
    const { loaded: none } = withBatches(merged, [batch(8, categoryDeleted('c2', null))], all)
    expect(none.rows.map(({ category }) => category)).toEqual([null, null])
  })

  it('are unclear where a category goes that the filter asks for', () => {
    const batches = [batch(6, categoryDeleted('c1', null))]
    expect(withBatches(loaded, batches, all).unclear).toBe(false)
    expect(withBatches(loaded, batches, { ...all, byCategory: true }).unclear).toBe(true)
  })
})

describe('any sequence of changes', () => {
  // A model of the ledger, from which pages are read at any revision, on replicas that lag or not.
  function play(seed: number) {
    const roll = dice(seed)
    const history: ReadonlyMap<string, Expense>[] = [new Map()]
    const batches: Batch[] = []

    function commit() {
      const state = new Map(history.at(-1))
      const revision = history.length
      const changes = Array.from({ length: roll(8) === 0 ? 50 : 1 + roll(3) }, () => {
        const id = `e${String(roll(80)).padStart(2, '0')}`
        const before = state.get(id)
        const kind = roll(4)
        const spentOn = `2026-11-${String(1 + roll(9)).padStart(2, '0')}`
        const next = {
          ...(before ?? expense(id)),
          spentOn: kind === 3 && before ? before.spentOn : spentOn,
          description: `r${revision}`,
          revision: String(revision),
          version: (before?.version ?? 0) + 1,
          deletedAt: kind === 3 && before ? 'now' : null,
        }
        state.set(id, next)
        if (!before) return change('ExpenseAdded', next)
        if (next.deletedAt) return change('ExpenseDeleted', next)
        return before.deletedAt ? change('ExpenseRestored', next) : change('ExpenseUpdated', next, before)
      })
      history.push(state)
      batches.push(batch(revision, ...changes))
    }

    function listAt(revision: number): Expense[] {
      return [...(history[revision]?.values() ?? [])].filter(all.accepts).sort(inOrder)
    }

    /** A page as a replica answers that has come to that revision. */
    function read(revision: number, after: Loaded['end']): Page {
      const rows = listAt(revision).filter((row) => !after || inOrder(row, after) > 0)
      return page(rows.slice(0, 4), revision, rows.length > 4)
    }

    for (let count = roll(12); count >= 0; count -= 1) commit()
    let loaded = withPage(null, read(history.length - 1 - roll(3), null))
    for (let step = 0; step < 60; step += 1) {
      const what = roll(3)
      const head = history.length - 1
      if (what === 0) commit()
      else if (what === 1) {
        const due = batches.filter(({ revision }) => BigInt(revision) > BigInt(loaded.revision))
        loaded = withBatches(loaded, due.slice(0, 1 + roll(4)), all).loaded
      } else if (loaded.end) {
        const answer = read(Math.max(0, head - roll(4)), loaded.end)
        loaded = withPage(loaded, answer)
        const missed = batches.filter(({ revision }) => BigInt(revision) > BigInt(answer.revision))
        if (BigInt(answer.revision) < BigInt(loaded.revision)) loaded = withBatches(loaded, missed, all).loaded
      }
    }
    const rest = batches.filter(({ revision }) => BigInt(revision) > BigInt(loaded.revision))
    loaded = withBatches(loaded, rest, all).loaded
    const { end } = loaded
    const fresh = listAt(history.length - 1).filter((row) => end === null || inOrder(row, end) <= 0)
    return { loaded, fresh }
  }

  it('makes of the loaded rows what loading afresh gives', () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const { loaded, fresh } = play(seed)
      expect(loaded.rows, `seed ${seed}`).toEqual(fresh)
    }
  })
})

describe('places', () => {
  it('are found for every row, and for no other', () => {
    const rows = merge([], ['a', 'b', 'c', 'd', 'e'].map((id) => expense(id, { spentOn: id < 'c' ? '2026-01-01' : '2026-01-02' })))
    expect(rows.map((row) => indexOf(rows, row))).toEqual([0, 1, 2, 3, 4])
    expect(indexOf(rows, expense('x'))).toBe(-1)
  })
})
