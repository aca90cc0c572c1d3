/**
 * Queries and mutations: sent to the current replica, moved to the next where it does not answer.
 *
 * A mutation may be sent twice that way. That is safe because each carries an idempotency key: the replicas give the
 * first outcome again.
 *
 * Reads are linearizable. While the replicas have no leader they cannot be, and the page reads what the replica has.
 */
import { Client, fetchExchange, mapExchange, type Exchange, type Operation } from '@urql/core'
import { retryExchange } from '@urql/exchange-retry'
import type { Access } from './access'
import { httpUrl, type Endpoints } from './endpoints'
import { codeOf, remedy } from './errors'

/** How long one replica may take to answer, in milliseconds: more than its own timeouts. */
const ANSWER_TIMEOUT = 12_000
/** Most times that one operation is sent. */
const MAX_ATTEMPTS = 6
/** How long reads are content with the replica's own database after it found no leader, in milliseconds. */
const LEADERLESS_FOR = 5_000

/** Puts the client together; `further` stand before the retries, so that they see what came of them. */
export function createClient(endpoints: Endpoints, access: Access, further: Exchange[] = []): Client {
  let leaderlessUntil = 0
  const headers = ({ kind }: Operation): Record<string, string> => {
    const authorization = access.authorization()
    return {
      ...(authorization && { authorization }),
      ...(kind === 'query' && Date.now() < leaderlessUntil && { 'read-consistency': 'local' }),
    }
  }
  return new Client({
    url: httpUrl(endpoints.current.value),
    preferGetMethod: false,
    requestPolicy: 'network-only',
    fetch: fetchWithin(ANSWER_TIMEOUT),
    exchanges: [
      ...further,
      retryExchange({
        initialDelayMs: 100,
        maxDelayMs: 1_000,
        maxNumberAttempts: MAX_ATTEMPTS,
        // One that is meant for a single replica has nowhere else to go.
        retryIf: (error, { context }) =>
          !context.replica && remedy(error) === 'elsewhere' && endpoints.state.reachability !== 'offline',
      }),
      mapExchange({
        onOperation: (operation) => addressed(operation, endpoints, headers(operation)),
        onResult({ operation, error }) {
          const what = error && remedy(error)
          if (what === 'access') access.refused()
          // What a single replica was asked for says nothing of where the page should be.
          if (operation.context.replica) return
          const url = baseOf(operation)
          const code = error && codeOf(error)
          if (code === 'NO_LEADER') leaderlessUntil = Date.now() + LEADERLESS_FOR
          if (what !== 'elsewhere') endpoints.answered(url)
          else if (code) endpoints.unfit(url)
          else endpoints.failed(url)
        },
      }),
      fetchExchange,
    ],
  })
}

/** The operation as it goes to the replica that is current now. */
function addressed(operation: Operation, endpoints: Endpoints, headers: Record<string, string>): Operation {
  const given = operation.context.fetchOptions
  const options = typeof given === 'function' ? given() : given
  return {
    ...operation,
    context: {
      ...operation.context,
      // A caller that names a replica means that one and no other.
      url: operation.context.replica ?? httpUrl(endpoints.current.value),
      fetchOptions: {
        ...options,
        headers: { ...headers, ...(options?.headers as Record<string, string>) },
      },
    },
  }
}

function baseOf(operation: Operation): string {
  return operation.context.url.replace(/\/graphql$/, '')
}

/** A replica that hangs must not hang the page. */
export function fetchWithin(milliseconds: number): typeof fetch {
  return (input, init = {}) => {
    const timeout = AbortSignal.timeout(milliseconds)
    return fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout })
  }
}

declare module '@urql/core' {
  interface OperationContext {
    /** Address of the one replica that is meant; without it, the current one. */
    replica?: string
    /** Keep the answer, and give it again while no replica answers. */
    keep?: boolean
  }
}
