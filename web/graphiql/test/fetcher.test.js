import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { parse } from 'graphql'

import { createFetcher } from '../src/fetcher.js'

const headers = { Authorization: 'Bearer secret', 'Read-Consistency': 'local', 'Min-Revision': '7' }

/** What a replica sees of a socket: where it was opened, and the messages sent. */
class RecordingSocket {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSING = 2
  static CLOSED = 3
  static opened = []

  constructor(url, protocol) {
    Object.assign(this, { url, protocol, readyState: RecordingSocket.OPEN, sent: [] })
    RecordingSocket.opened.push(this)
    queueMicrotask(() => this.onopen?.())
  }

  send(text) {
    const message = JSON.parse(text)
    this.sent.push(message)
    if (message.type === 'connection_init') this.answer({ type: 'connection_ack' })
    if (message.type === 'subscribe') {
      this.answer({ type: 'next', id: message.id, payload: { data: { replicas: [] } } })
      this.answer({ type: 'complete', id: message.id })
    }
  }

  answer(message) {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }))
  }

  close(code, reason) {
    this.readyState = RecordingSocket.CLOSED
    queueMicrotask(() => this.onclose?.({ code, reason, wasClean: true }))
  }
}

const realFetch = globalThis.fetch
let requests = []

beforeEach(() => {
  requests = []
  RecordingSocket.opened = []
  globalThis.WebSocket = RecordingSocket
  globalThis.window = globalThis
  globalThis.fetch = async (url, init) => {
    requests.push({ url, ...init })
    return Response.json({ data: { replicas: [] } })
  }
})

afterEach(() => {
  globalThis.fetch = realFetch
  delete globalThis.WebSocket
  delete globalThis.window
})

test('a query is a POST to the origin, with the headers of the editor', async () => {
  const query = '{ replicas { id } }'
  const answer = await createFetcher({ origin: 'http://replica:8081' })({ query }, { headers, documentAST: parse(query) })

  assert.deepEqual(answer, { data: { replicas: [] } })
  assert.equal(requests.length, 1)
  assert.equal(requests[0].url, 'http://replica:8081/graphql')
  assert.equal(requests[0].method, 'POST')
  assert.equal(requests[0].headers['content-type'], 'application/json')
  assert.match(requests[0].headers.accept, /^application\/graphql-response\+json/)
  for (const [name, value] of Object.entries(headers)) assert.equal(requests[0].headers[name], value)
})

for (const [origin, socket] of [
  ['http://replica:8081', 'ws://replica:8081/graphql'],
  ['https://expenses.example', 'wss://expenses.example/graphql'],
]) {
  test(`a subscription at ${origin} opens ${socket} and sends the headers as connection_init`, async () => {
    const query = 'subscription { replicas { id } }'
    const events = []
    for await (const event of await createFetcher({ origin })({ query }, { headers, documentAST: parse(query) })) {
      events.push(event)
    }

    assert.deepEqual(events, [{ data: { replicas: [] } }])
    assert.equal(requests.length, 0)
    const [opened] = RecordingSocket.opened
    assert.equal(opened.url, socket)
    assert.equal(opened.protocol, 'graphql-transport-ws')
    assert.deepEqual(opened.sent[0], { type: 'connection_init', payload: headers })
  })
}
