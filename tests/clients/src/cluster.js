import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { GraphQLClient } from 'graphql-request'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'

/** Where the three replicas answer, from `THREEFOLD_URLS`: "http://127.0.0.1:8081,http://127.0.0.1:8082,...". */
export const replicas = (process.env.THREEFOLD_URLS ?? '')
  .split(',')
  .map((url) => url.trim())
  .filter(Boolean)
assert.equal(replicas.length, 3, 'THREEFOLD_URLS holds the addresses of three replicas, separated by commas')

const token = process.env.THREEFOLD_ACCESS_TOKEN
const authorization = token ? { Authorization: `Bearer ${token}` } : {}

/** The longest that any of these tests waits for a replica. */
export const limit = { timeout: 30_000 }

/** An ordinary GraphQL client of one replica. */
export function overHttp(replica, headers = {}) {
  return new GraphQLClient(new URL('/graphql', replica).href, { headers: { ...authorization, ...headers } })
}

/** An ordinary WebSocket client of one replica; `payload` goes into `connection_init`. Closed when the test ends. */
export function overWebSocket(test, replica, payload = {}) {
  const url = new URL('/graphql', replica)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const client = createClient({
    url: url.href,
    webSocketImpl: WebSocket,
    connectionParams: { ...authorization, ...payload },
    // A connection that fails is what a test wants to see.
    retryAttempts: 0,
  })
  test.after(() => client.dispose())
  return client
}

const ADD_EXPENSE = /* GraphQL */ `
  mutation AddExpense($input: AddExpenseInput!) {
    addExpense(input: $input) {
      expense {
        id
        description
        amount {
          amount
          currency
          minorUnits
        }
        revision
      }
      receipt {
        revision
        replayed
        pending
        acknowledgedBy {
          replicaId
          state
        }
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`

/** Adds an expense on one replica and returns the payload; the input is a small one unless said otherwise. */
export async function addExpense(replica, input = {}, headers = {}) {
  const { addExpense: payload } = await overHttp(replica, headers).request(ADD_EXPENSE, {
    input: { description: `Bread ${randomUUID()}`, amount: '3.20', currency: 'EUR', spentOn: '2026-11-22', ...input },
  })
  return payload
}

/** As `addExpense`, for an expense that must be taken. */
export async function addedExpense(replica, input, headers) {
  const payload = await addExpense(replica, input, headers)
  assert.deepEqual(payload.userErrors, [])
  return payload
}
