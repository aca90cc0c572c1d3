/**
 * Where the API is: every replica that the page has heard of, and the one that it talks to now.
 *
 * The page begins at the replica that served it. When that one does not answer, it moves to the next, for everything
 * at once: queries, mutations and the socket.
 */
import { computed, reactive, readonly } from 'vue'

/** Most addresses that are remembered. */
const MAX_ENDPOINTS = 10
const STORAGE_KEY = 'threefold.endpoints'

/** One way to reach the API. */
export interface Endpoint {
  /** Origin with scheme and port, without a slash at its end. */
  url: string
  /** The replica that was there when last heard from. */
  replicaId: string | null
}

/** `trying`: not answered yet. `online`: the current one answers. `offline`: none does. */
export type Reachability = 'trying' | 'online' | 'offline'

/** What a replica says of itself. */
export interface KnownReplica {
  id: string
  url: string
}

interface State {
  list: Endpoint[]
  current: number
  reachability: Reachability
  /** The last move, to be told to the person; null before the first. */
  moved: { from: Endpoint; to: Endpoint; at: number } | null
}

export type Endpoints = ReturnType<typeof createEndpoints>

/** Keeps the addresses; `origin` is where the page came from, and the first to be tried. */
export function createEndpoints(origin: string, storage: Pick<Storage, 'getItem' | 'setItem'> | null) {
  const state = reactive<State>({
    list: [{ url: origin, replicaId: null }],
    current: 0,
    reachability: 'trying',
    moved: null,
  })
  /** Addresses that failed since one answered. */
  const failing = new Set<string>()

  for (const endpoint of remembered(storage)) add(endpoint)

  function current(): Endpoint {
    return state.list[state.current] ?? { url: origin, replicaId: null }
  }

  function add(endpoint: Endpoint) {
    const known = state.list.find((other) => sameAddress(other.url, endpoint.url))
    if (known) known.replicaId = endpoint.replicaId ?? known.replicaId
    else if (state.list.length < MAX_ENDPOINTS) state.list.push(endpoint)
  }

  /**
   * Takes in what a replica says of the cluster. It counts in place of what was known before: where a cluster used to
   * be, another one may be now, and neither token nor expenses are for that.
   */
  function learn(replicas: readonly KnownReplica[]) {
    const said = replicas.filter(({ url }) => isAddress(url)).map(({ id, url }) => ({ url: url.replace(/\/+$/, ''), replicaId: id }))
    if (said.length === 0) return
    const here = current()
    const stays = ({ url }: Endpoint) =>
      url === origin || url === here.url || said.some((replica) => sameAddress(replica.url, url))
    state.list = state.list.filter(stays)
    state.current = Math.max(0, state.list.indexOf(here))
    for (const endpoint of said) add(endpoint)
    const known = state.list.filter((endpoint) => endpoint.url !== origin)
    try {
      storage?.setItem(STORAGE_KEY, JSON.stringify(known))
    } catch {
      // A full or forbidden storage only means that the next visit begins with the page's own replica.
    }
  }

  /** An answer came from that address. */
  function answered(url: string) {
    failing.clear()
    if (url === current().url) state.reachability = 'online'
  }

  /** That address did not answer: the next one is tried, unless another request has moved on already. */
  function failed(url: string) {
    failing.add(url)
    if (url === current().url) moveOn(state.list.every((endpoint) => failing.has(endpoint.url)) ? 'offline' : 'trying')
  }

  /** That replica answers, but cannot serve: another one may. */
  function unfit(url: string) {
    failing.clear()
    if (url === current().url) moveOn('online')
  }

  function moveOn(reachability: Reachability) {
    const from = current()
    state.current = (state.current + 1) % state.list.length
    state.moved = { from, to: current(), at: Date.now() }
    state.reachability = reachability
  }

  return {
    state: readonly(state),
    /** The endpoint that is used now. */
    current: computed(current),
    learn,
    answered,
    failed,
    unfit,
  }
}

/** The address of the API's HTTP endpoint there. */
export function httpUrl(endpoint: Endpoint): string {
  return `${endpoint.url}/graphql`
}

/** The address of the API's WebSocket there. */
export function socketUrl(endpoint: Endpoint): string {
  return `${endpoint.url.replace(/^http/, 'ws')}/graphql`
}

/** True where both lead to the same listener: a machine has several names for itself. */
export function sameAddress(a: string, b: string): boolean {
  const plain = (url: string) => url.replace(/\/\/(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/, '//loopback')
  return plain(a) === plain(b)
}

function remembered(storage: Pick<Storage, 'getItem'> | null): Endpoint[] {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(STORAGE_KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter(isEndpoint).slice(0, MAX_ENDPOINTS) : []
  } catch {
    return []
  }
}

function isEndpoint(value: unknown): value is Endpoint {
  const { url, replicaId } = (value ?? {}) as Partial<Endpoint>
  return typeof url === 'string' && isAddress(url) && (replicaId === null || typeof replicaId === 'string')
}

function isAddress(url: string): boolean {
  return /^https?:\/\/[^/]/.test(url)
}
