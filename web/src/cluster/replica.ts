/** The replicas as the page sees them, and what can be told from one moment's list of them. */
import { graphql } from '@/graphql/generated'
import type { ReplicaFieldsFragment } from '@/graphql/generated/graphql'

export const ReplicaFields = graphql(`
  fragment ReplicaFields on Replica {
    id
    role
    url
    term
    revision
    lag
    inSync
    stateHash
    expenseCount
    database
    lastSeenAt
    quarantine
  }
`)

/** One replica, as the one that the page talks to sees it. */
export type Replica = ReplicaFieldsFragment

/** The replicas at one moment; `at` is this machine's clock, in milliseconds. */
export interface Moment {
  at: number
  replicas: readonly Replica[]
}

/** The leader, if there is one. Of two that say so, the one of the later term: the other has not heard of it yet. */
export function leaderOf(replicas: readonly Replica[]): Replica | null {
  const leaders = replicas.filter(({ role }) => role === 'LEADER')
  return leaders.reduce<Replica | null>(
    (best, each) => (best && BigInt(best.term) >= BigInt(each.term) ? best : each),
    null,
  )
}

/** True while the replica has been heard from in time. */
export function isReachable(replica: Pick<Replica, 'role'>): boolean {
  return replica.role !== 'UNREACHABLE'
}
