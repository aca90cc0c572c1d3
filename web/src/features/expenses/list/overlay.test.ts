import { describe, expect, it } from 'vitest'
import type { Command, Entry } from '@/outbox/entry'
import type { Loaded, Terms } from './loaded'
import { moneyFrom, overlay, untold } from './overlay'
import { expense } from './testing'

const terms: Terms = {
  accepts: ({ deletedAt }) => deletedAt === null,
  byCategory: false,
  category: (id) => ({ id, name: id.toUpperCase(), color: null }),
}
const loaded: Loaded = { rows: [expense('c'), expense('b', { amount: '2.00' })], end: null, revision: '5' }

function entry(command: Command, fields: Partial<Entry> = {}): Entry {
  return { key: `k-${command.kind}`, command, at: 0, state: 'queued', attempts: 0, receipt: null, errors: [], expense: null, ...fields }
}

function receipt(revision: string): Entry['receipt'] {
  return { revision, term: '1', replayed: false, acknowledgedBy: [], pending: [] }
}

const add: Command = {
  kind: 'add',
  input: { id: 'd', description: 'Coffee', amount: '3.2', currency: 'EUR', spentOn: '2026-11-22', categoryId: 'food' },
}

describe('what the person did', () => {
  it('shows an added expense before a replica has it', () => {
    const { rows, effects, marks } = overlay(loaded, [entry(add)], terms)
    expect(rows.map(({ id }) => id)).toEqual(['d', 'c', 'b'])
    expect(rows[0]).toMatchObject({ amount: { amount: '3.20', minorUnits: '320' }, category: { name: 'FOOD' }, version: 1 })
    expect(effects).toEqual([{ before: null, after: rows[0] }])
    expect(marks.get('d')?.state).toBe('queued')
  })

  it('shows a stored expense once, whether the feed has brought it or not', () => {
    const stored = entry(add, { state: 'stored', receipt: receipt('6'), expense: expense('d', { revision: '6' }) })
    expect(overlay(loaded, [stored], terms).rows.map(({ id }) => id)).toEqual(['d', 'c', 'b'])
    const after = { ...loaded, rows: [expense('d', { revision: '6' }), ...loaded.rows], revision: '6' }
    const { rows, effects } = overlay(after, [stored], terms)
    expect(rows).toBe(after.rows)
    expect(effects).toEqual([])
  })

  it('does not bring back what was deleted after it was stored', () => {
    const stored = entry(add, { state: 'stored', receipt: receipt('6'), expense: expense('d', { revision: '6' }) })
    expect(overlay({ ...loaded, revision: '7' }, [stored], terms).rows).toEqual(loaded.rows)
  })

  it('puts edits one on the other, and counts their versions', () => {
    const { rows, effects } = overlay(
      loaded,
      [
        entry({ kind: 'update', input: { id: 'b', description: 'Tea' } }),
        entry({ kind: 'update', input: { id: 'b', amount: '5', categoryId: null, tags: ['x'] } }),
      ],
      terms,
    )
    expect(rows[1]).toMatchObject({ description: 'Tea', amount: { amount: '5.00' }, tags: ['x'], version: 3 })
    expect(effects).toHaveLength(1)
    expect(effects[0]?.before?.amount.amount).toBe('2.00')
  })

  it('counts an edit once that the feed has brought before its answer', () => {
    const brought = { ...loaded, rows: [expense('b', { description: 'Tea', version: 2 })] }
    const edit = entry({ kind: 'update', input: { id: 'b', expectedVersion: 1, description: 'Tea' } }, { state: 'sending' })
    expect(overlay(brought, [edit], terms).rows).toEqual(brought.rows)
    const next = entry({ kind: 'update', input: { id: 'b', expectedVersion: 2, amount: '5' } })
    expect(overlay(brought, [edit, next], terms).rows[0]).toMatchObject({ description: 'Tea', amount: { amount: '5.00' }, version: 3 })
    expect(overlay(loaded, [edit, next], terms).rows[1]).toMatchObject({ description: 'Tea', amount: { amount: '5.00' }, version: 3 })
  })

  it('takes deleted rows away, and gives them back when undone', () => {
    const gone = entry({ kind: 'delete', input: { id: 'b' } })
    expect(overlay(loaded, [gone], terms).rows.map(({ id }) => id)).toEqual(['c'])
    const undone = entry({ kind: 'restore', input: { id: 'b' } })
    expect(overlay(loaded, [gone, undone], terms).rows.map(({ id }) => id)).toEqual(['c', 'b'])
  })

  it('gives a row back at once whose deletion the rows have already', () => {
    const deleted = expense('b', { amount: '2.00', version: 2, revision: '6', deletedAt: 'then' })
    const gone = entry({ kind: 'delete', input: { id: 'b' } }, { state: 'stored', receipt: receipt('6'), expense: deleted })
    const without = { ...loaded, rows: [expense('c')], revision: '6' }
    const undone = entry({ kind: 'restore', input: { id: 'b' } })
    const { rows, effects } = overlay(without, [gone, undone], terms)
    expect(rows[1]).toEqual({ ...deleted, deletedAt: null, version: 3 })
    expect(effects).toEqual([{ before: null, after: rows[1] }])
    expect(overlay(without, [undone], terms).rows).toEqual(without.rows)
  })

  it('leaves the row of a refused edit as it is, and counts a refused addition nowhere', () => {
    const refused = { state: 'refused', errors: [{ code: 'INVALID', message: 'no', field: null }] } as const
    const edit = entry({ kind: 'update', input: { id: 'b', description: 'Tea' } }, refused)
    const { rows, marks, effects } = overlay(loaded, [edit, entry(add, refused)], terms)
    expect(rows.map(({ description }) => description)).toEqual(['Coffee', 'Expense c', 'Expense b'])
    expect(marks.get('b')?.errors[0]?.message).toBe('no')
    expect(effects.every(({ after }) => after === null)).toBe(true)
  })

  it('does not show what lies behind the loaded rows', () => {
    const part = { ...loaded, end: { spentOn: '2026-11-22', id: 'b' } }
    const early = entry({ kind: 'add', input: { ...add.input, spentOn: '2020-01-01' } })
    const { rows, effects } = overlay(part, [early], terms)
    expect(rows).toEqual(loaded.rows)
    expect(effects[0]?.after?.spentOn).toBe('2020-01-01')
  })
})

describe('what was refused', () => {
  const edit = entry({ kind: 'update', input: { id: 'b', description: 'Tea' } }, { key: 'k1', state: 'refused' })

  it('is told by its row', () => {
    expect(untold([edit], () => true)).toEqual([])
  })

  it('is told by nobody where its row is not shown, or tells of something newer', () => {
    expect(untold([edit], () => false)).toEqual([edit])
    const next = entry({ kind: 'update', input: { id: 'b', description: 'Coffee' } }, { key: 'k2' })
    expect(untold([edit, next], () => true)).toEqual([edit])
  })

  it('is left to its own place if it was added', () => {
    expect(untold([entry(add, { state: 'refused' })], () => false)).toEqual([])
  })
})

describe('money', () => {
  it('gets all decimals of its currency', () => {
    expect(moneyFrom('12.5', 'EUR')).toEqual({ amount: '12.50', currency: 'EUR', minorUnits: '1250' })
    expect(moneyFrom('1250', 'JPY')).toEqual({ amount: '1250', currency: 'JPY', minorUnits: '1250' })
    expect(moneyFrom('-1.5', 'KWD').minorUnits).toBe('-1500')
  })
})
