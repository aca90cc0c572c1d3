/** The live view of the replicas, and where it has been in the last minutes. */
import { computed, reactive, readonly, shallowReactive, shallowRef } from 'vue'
import { graphql, readFragment } from '@/graphql/generated'
import type { Endpoints } from '@/graphql/endpoints'
import type { Socket } from '@/graphql/socket'
import { eventOf, eventsBetween, type ClusterEvent } from './events'
import { createHashBook, type Divergence } from './hashes'
import { leaderOf, ReplicaFields, type Moment, type Replica } from './replica'

/** How long the past is kept, in milliseconds, and how many moments of it at most. */
const MAX_AGE = 120_000
const MAX_MOMENTS = 2_400
/** Most events that are kept; the oldest go first. */
const MAX_EVENTS = 100
/** Wait before a subscription that was ended is begun again, in milliseconds. */
const RESTART_WAIT = 500

const ReplicasDocument = graphql(`
  subscription Replicas {
    replicas {
      ...ReplicaFields
    }
  }
`)

export type { Moment, Replica } from './replica'
export type Cluster = ReturnType<typeof createCluster>

export function createCluster(socket: Socket, endpoints: Endpoints) {
  const replicas = shallowRef<readonly Replica[]>([])
  const state = reactive({
    /** True while the view is live. */
    live: false,
  })
  const events = shallowReactive<ClusterEvent[]>([])
  const divergence = shallowRef<Divergence | null>(null)
  const hashes = createHashBook()
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
    note(eventsBetween(moments.at(-1) ?? null, moment))
    compare(moment)
    moments.push(moment)
    // The newest that is too old stays: it is what was known when the others came.
    while (moments.length > MAX_MOMENTS || (moments[1] && moments[1].at < moment.at - MAX_AGE)) moments.shift()
    for (const listener of [...listeners]) listener(moment)
  }

  function compare(moment: Moment) {
    const known = divergence.value
    const found = hashes.compare(moment)
    if (found && !known) note([eventOf(found, moment.at, leaderOf(moment.replicas)?.term ?? '')])
    divergence.value = found
  }

  function note(news: readonly ClusterEvent[]) {
    events.unshift(...news.toReversed())
    events.splice(MAX_EVENTS)
  }

  return {
    state: readonly(state),
    /** Every replica, by id. */
    replicas: computed(() => replicas.value),
    /** The leader, while there is one. */
    leader: computed(() => leaderOf(replicas.value)),
    /** Two replicas that have different histories; null while all is as it must be. */
    divergence: computed(() => divergence.value),
    /** What happened since the page was opened, newest first. */
    events: events as readonly ClusterEvent[],
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
