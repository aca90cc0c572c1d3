import { gql } from '@urql/core'
import { beforeEach, expect, test, vi } from 'vitest'
import { createAccess } from './access'
import { createClient } from './client'
import { createEndpoints } from './endpoints'
import { readLocally } from './local-read'

const own = 'http://127.0.0.1:1'
const others = ['http://127.0.0.1:2', 'http://127.0.0.1:3']
const document = gql<{ replica: { id: string } }, Record<string, never>>`
  query Own {
    replica {
      id
    }
  }
`
const asked: Request[] = []
/** Replicas that do not answer. */
const down = new Set<string>()

beforeEach(() => {
  asked.length = 0
  down.clear()
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init)
    asked.push(request)
    const { origin } = new URL(request.url)
    if (down.has(origin)) throw new TypeError('Failed to fetch')
    return Response.json({ data: { replica: { id: origin.slice(-1) } } })
  })
})

function put() {
  const endpoints = createEndpoints(own, null)
  endpoints.learn(others.map((url, index) => ({ id: String(index + 2), url })))
  return { endpoints, client: createClient(endpoints, createAccess(null)) }
}

test('the same read at three replicas has three answers', async () => {
  const { client } = put()
  const results = await Promise.all([own, ...others].map((url) => readLocally(client, url, document, {})))
  expect(results.map(({ data }) => data?.replica.id)).toEqual(['1', '2', '3'])
  expect(asked.map(({ headers }) => headers.get('read-consistency'))).toEqual(['local', 'local', 'local'])
})

test.each([own, ...others])('a read at %s that is down is asked once and does not move the page', async (url) => {
  const { client, endpoints } = put()
  await client.query(document, {}).toPromise()
  down.add(url)
  asked.length = 0
  const { error } = await readLocally(client, url, document, {})
  expect(error?.networkError).toBeDefined()
  expect(asked.map((request) => new URL(request.url).origin)).toEqual([url])
  expect(endpoints.current.value.url).toBe(own)
  expect(endpoints.state.reachability).toBe('online')
})

test('an answer of another replica does not make the page believe that its own is there', async () => {
  const { client, endpoints } = put()
  for (const url of [own, ...others]) endpoints.failed(url)
  expect(endpoints.state.reachability).toBe('offline')
  await readLocally(client, own, document, {})
  expect(endpoints.state.reachability).toBe('offline')
})

test('any other read moves on to a replica that answers', async () => {
  const { client, endpoints } = put()
  down.add(own)
  const { data } = await client.query(document, {}).toPromise()
  expect(data?.replica.id).toBe('2')
  expect(endpoints.current.value.url).toBe(others[0])
})
