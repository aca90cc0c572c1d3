import { gql } from '@urql/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAccess } from './access'
import { createClient } from './client'
import { createEndpoints } from './endpoints'

const [FIRST, SECOND, THIRD] = ['http://one.test', 'http://two.test', 'http://three.test']
const READ = gql('query Read { replica { id } }')
const WRITE = gql('mutation Write($key: UUID) { addCategory(input: { idempotencyKey: $key, name: "Food" }) { category { id } } }')

/** What the replica at an address does with a request. */
type Replica = (headers: Headers) => Response | Error
const replicas = new Map<string, Replica>()
const asked: { url: string; body: string; headers: Headers }[] = []

const answers = (data: unknown): Replica => () => Response.json({ data })
const fails = (code: string, status = 200): Replica => () =>
  Response.json({ errors: [{ message: code, extensions: { code } }] }, { status })
const gone: Replica = () => new TypeError('connection refused')

function begin() {
  const endpoints = createEndpoints(FIRST, null)
  endpoints.learn([FIRST, SECOND, THIRD].map((url, index) => ({ id: String(index + 1), url })))
  const access = createAccess(null)
  return { endpoints, access, client: createClient(endpoints, access) }
}

beforeEach(() => {
  asked.length = 0
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit) => {
    const url = String(input)
    const headers = new Headers(init.headers)
    asked.push({ url, body: String(init.body), headers })
    const answer = replicas.get(new URL(url).origin)?.(headers) ?? new TypeError('no such host')
    if (answer instanceof Error) throw answer
    return answer
  })
  for (const url of [FIRST, SECOND, THIRD]) replicas.set(url, answers({ replica: { id: url } }))
})

afterEach(() => vi.unstubAllGlobals())

describe('the client', () => {
  it('moves to the next replica where one is gone, and stays there', async () => {
    const { client, endpoints } = begin()
    replicas.set(FIRST, gone)
    const { data } = await client.query(READ, {}).toPromise()
    expect(data).toEqual({ replica: { id: SECOND } })
    expect(endpoints.current.value.url).toBe(SECOND)
    expect(endpoints.state.reachability).toBe('online')
    await client.query(READ, { again: true }).toPromise()
    expect(asked.map(({ url }) => new URL(url).origin)).toEqual([FIRST, SECOND, SECOND])
  })

  it('sends a mutation again with what it was sent with at first, its key', async () => {
    const { client } = begin()
    replicas.set(FIRST, gone)
    replicas.set(SECOND, fails('REPLICA_QUARANTINED'))
    const { error } = await client.mutation(WRITE, { key: 'k' }).toPromise()
    expect(error).toBeUndefined()
    expect(asked.map(({ url }) => new URL(url).origin)).toEqual([FIRST, SECOND, THIRD])
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1)
  })

  it('does not ask for ever where none answers', async () => {
    const { client, endpoints } = begin()
    for (const url of [FIRST, SECOND, THIRD]) replicas.set(url, gone)
    const { error } = await client.query(READ, {}).toPromise()
    expect(error?.networkError).toBeDefined()
    expect(endpoints.state.reachability).toBe('offline')
    expect(asked).toHaveLength(3)
  })

  it('does not go elsewhere with what is wrong anywhere', async () => {
    const { client, endpoints } = begin()
    replicas.set(FIRST, fails('BAD_USER_INPUT', 400))
    await client.query(READ, {}).toPromise()
    expect(asked).toHaveLength(1)
    expect(endpoints.current.value.url).toBe(FIRST)
  })

  it('reads what a replica has where there is no leader to ask', async () => {
    const { client, endpoints } = begin()
    const leaderless: Replica = (headers) =>
      headers.get('read-consistency') === 'local' ? Response.json({ data: { replica: { id: 'x' } } }) : (fails('NO_LEADER')(headers))
    for (const url of [FIRST, SECOND, THIRD]) replicas.set(url, leaderless)
    const { data } = await client.query(READ, {}).toPromise()
    expect(data).toEqual({ replica: { id: 'x' } })
    expect(asked).toHaveLength(2)
    expect(endpoints.state.reachability).toBe('online')
  })

  it('has the person asked for a token where it is refused, and sends it', async () => {
    const { client, access } = begin()
    replicas.set(FIRST, (headers) =>
      headers.get('authorization') === 'Bearer secret'
        ? Response.json({ data: { replica: { id: '1' } } })
        : fails('UNAUTHENTICATED', 401)(headers),
    )
    await client.query(READ, {}).toPromise()
    expect(access.state.wanted).toBe(true)
    access.give(' secret ')
    const { data } = await client.query(READ, { again: true }).toPromise()
    expect(data).toEqual({ replica: { id: '1' } })
    expect(access.state.wanted).toBe(false)
  })
})
