/** The live view of the replicas, and where it has been in the last minutes. */
import { computed, reactive, readonly, shallowRef } from 'vue'
import { graphql } from '@/graphql/generated'
import type { ReplicaFieldsFragment } from '@/graphql/generated/graphql'
import { readFragment } from '@/graphql/generated'
import type { Endpoints } from '@/graphql/endpoints'
import type { Socket } from '@/graphql/socket'

/** How long the past is kept, in milliseconds, and how many moments of it at most. */
const MAX_AGE = 120_000
const MAX_MOMENTS = 2_400
/** Wait before a subscription that was ended is begun again, in milliseconds. */
const RESTART_WAIT = 500

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
  }
`)

const ReplicasDocument = graphql(`
  subscription Replicas {
    replicas {
      ...ReplicaFields
    }
  }
`)

/** One replica, as the one that the page talks to sees it. */
export type Replica = ReplicaFieldsFragment

/** The replicas at one moment; `at` is this machine's clock, in milliseconds. */
export interface Moment {
  at: number
  replicas: readonly Replica[]
}

export type Cluster = ReturnType<typeof createCluster>

export function createCluster(socket: Socket, endpoints: Endpoints) {
  const replicas = shallowRef<readonly Replica[]>([])
  const state = reactive({
    /** True while the view is live. */
    live: false,
  })
  const moments: Moment[] = []
  const listeners = new Set<(moment: Moment) => void>()
  let stop: (() => void) | null = null
  let restart: ReturnType<typeof setTimeout> | undefined

  function begin() {
    stop?.()
    stop = socket.subscribe(
      ReplicasDocument,
      {},
      {
        next: (data) => take(readFragment(ReplicaFields, data.replicas)),
        error: again,
        complete: again,
      },
    )
  }

  function again() {
    stop = null
    state.live = false
    clearTimeout(restart)
    restart = setTimeout(begin, RESTART_WAIT)
  }

  function take(next: readonly Replica[]) {
    const moment = { at: Date.now(), replicas: next }
    replicas.value = next
    state.live = true
    endpoints.learn(next.filter((replica) => replica.url !== ''))
    moments.push(moment)
    while (moments.length > MAX_MOMENTS || (moments[0] && moments[0].at < moment.at - MAX_AGE)) moments.shift()
    for (const listener of [...listeners]) listener(moment)
  }

  return {
    state: readonly(state),
    /** Every replica, by id. */
    replicas: computed(() => replicas.value),
    /** The leader, while there is one. */
    leader: computed(() => replicas.value.find(({ role }) => role === 'LEADER') ?? null),
    /** The last minutes, oldest first. Not reactive: read it when drawing. */
    past: (): readonly Moment[] => moments,
    /** How many replicas have a revision in their database, as far as is known here. */
    holding: (revision: string): number =>
      replicas.value.filter((replica) => BigInt(replica.revision) >= BigInt(revision)).length,
    /** Calls back at every change of the view; returns how to end that. */
    listen(listener: (moment: Moment) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start: begin,
    stop() {
      clearTimeout(restart)
      stop?.()
      stop = null
    },
  }
}
