/** The socket to the current replica. It comes back by itself, at the next replica where the old one is gone. */
import { stringifyDocument, type TypedDocumentNode } from '@urql/core'
import { createClient } from 'graphql-ws'
import { watch } from 'vue'
import type { Access } from './access'
import { socketUrl, type Endpoints } from './endpoints'

/** Silence after which the replica is asked whether it is there, and how long it has to answer; milliseconds. */
const PING_INTERVAL = 3_000
const PONG_TIMEOUT = 3_000
/** How long a replica may take to open the socket and to greet, in milliseconds: browsers wait for minutes. */
const OPEN_TIMEOUT = 4_000
/** Longest wait between two attempts, in milliseconds. */
const MAX_RETRY_WAIT = 5_000
/** Close codes by which a replica says who is not let in. */
const REFUSED = [4401, 4403]

/** Who listens to a subscription. */
export interface Sink<Data> {
  next: (data: Data) => void
  /** The subscription has ended with an error. */
  error: (error: unknown) => void
  /** The replica has ended it. */
  complete: () => void
}

export type Socket = ReturnType<typeof createSocket>

export function createSocket(endpoints: Endpoints, access: Access) {
  let pong: ReturnType<typeof setTimeout> | undefined
  let opening: ReturnType<typeof setTimeout> | undefined
  /** Where the socket is, or is being opened. */
  let at = ''
  /** There is a socket, or is about to be. */
  let begun = false
  const client = createClient({
    url: () => {
      at = endpoints.current.value.url
      return socketUrl(endpoints.current.value)
    },
    connectionParams: () => {
      const authorization = access.authorization()
      return authorization ? { authorization } : {}
    },
    lazyCloseTimeout: 1_000,
    keepAlive: PING_INTERVAL,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => {
      // Every address is tried quickly once; after a round without an answer there is time.
      const round = Math.floor(attempt / endpoints.state.list.length)
      const wait = round === 0 ? 50 : Math.min(MAX_RETRY_WAIT, 250 * 2 ** Math.min(round, 8))
      return new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)))
    },
    on: {
      connecting: () => {
        begun = true
        clearTimeout(opening)
        opening = setTimeout(() => client.terminate(), OPEN_TIMEOUT)
      },
      connected: () => {
        clearTimeout(opening)
        endpoints.answered(at)
      },
      ping: (received) => {
        if (received) return
        clearTimeout(pong)
        pong = setTimeout(() => client.terminate(), PONG_TIMEOUT)
      },
      pong: (received) => {
        if (received) clearTimeout(pong)
      },
      closed: (event) => {
        clearTimeout(pong)
        clearTimeout(opening)
        begun = false
        const { code, wasClean } = event as CloseEvent
        if (REFUSED.includes(code)) access.refused()
        else if (!(wasClean && code === 1000)) endpoints.failed(at)
      },
    },
  })

  // Where queries and mutations move to another replica, subscriptions go along.
  watch(endpoints.current, ({ url }) => {
    if (begun && url !== at) client.terminate()
  })

  return {
    /**
     * Subscribes; returns how to end that. `variables` is read anew at every reconnection, so that a subscription can
     * go on from where it is by changing them.
     */
    subscribe<Data, Variables extends Record<string, unknown>>(
      document: TypedDocumentNode<Data, Variables>,
      variables: Variables,
      sink: Sink<Data>,
    ): () => void {
      return client.subscribe<Data>(
        { query: stringifyDocument(document), variables },
        {
          next: ({ data, errors }) => {
            if (data) sink.next(data)
            else if (errors) sink.error(errors)
          },
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      )
    },
    close: () => client.dispose(),
  }
}
