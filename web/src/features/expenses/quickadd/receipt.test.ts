import { describe, expect, it } from 'vitest'
import type { Receipt } from '@/outbox/entry'
import { progressOf } from './receipt'

const receipt = (acknowledged: number, pending: number) =>
  ({
    revision: '7',
    term: '1',
    replayed: false,
    acknowledgedBy: Array.from({ length: acknowledged }, (_, n) => ({ replicaId: `${n}`, state: 'DURABLE' })),
    pending: Array.from({ length: pending }, (_, n) => `${acknowledged + n}`),
  }) as Receipt

describe('progress', () => {
  it('begins with none of the replicas that are known', () => {
    const known = { replicas: 3, holding: () => 3 }
    expect(progressOf({ state: 'queued', receipt: null }, known)).toEqual({ state: 'queued', count: 0, total: 3 })
  })
  it('is at least what the receipt says', () => {
    const stored = { state: 'stored' as const, receipt: receipt(2, 1) }
    expect(progressOf(stored, { replicas: 0, holding: () => 0 })).toMatchObject({ count: 2, total: 3 })
    expect(progressOf(stored, { replicas: 3, holding: () => 1 })).toMatchObject({ count: 2, total: 3 })
  })
  it('goes on with what is seen of the replicas, and never beyond them', () => {
    const stored = { state: 'stored' as const, receipt: receipt(2, 1) }
    expect(progressOf(stored, { replicas: 3, holding: (revision) => (revision === '7' ? 3 : 0) })).toMatchObject({ count: 3, total: 3 })
    expect(progressOf(stored, { replicas: 5, holding: () => 5 })).toMatchObject({ count: 5, total: 5 })
  })
})
