/** Replicas for tests. */
import type { Moment, Replica } from '@/cluster/replica'

export function replica(id: string, given: Partial<Replica> = {}): Replica {
  const revision = given.revision ?? '10'
  return {
    id,
    role: 'FOLLOWER',
    url: `http://127.0.0.1:808${id}`,
    term: '1',
    revision,
    lag: 0,
    inSync: true,
    stateHash: `hash of ${revision}`,
    expenseCount: 5,
    database: 'SQLITE',
    lastSeenAt: '2026-11-22T12:00:00Z',
    quarantine: null,
    ...given,
  }
}

/** Replicas 1, 2, 3, of which 1 leads, at those revisions; `changed` says what else is different of whom. */
export function moment(at: number, revisions: readonly number[], changed: Record<string, Partial<Replica>> = {}): Moment {
  const replicas = revisions.map((revision, index) => {
    const id = String(index + 1)
    return replica(id, { ...(id === '1' && { role: 'LEADER' }), revision: String(revision), ...changed[id] })
  })
  return { at, replicas }
}
