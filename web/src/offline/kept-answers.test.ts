import { Client, fetchExchange, gql } from '@urql/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from './database'
import { keptAnswersExchange, keptAt } from './kept-answers'

const READ = gql('query Read($page: Int) { replica { id } }')
let count = 0
let online = true

/** A client of a new visit, in the same browser. */
function visit(name: string): Client {
  return new Client({
    url: 'http://one.test/graphql',
    preferGetMethod: false,
    requestPolicy: 'network-only',
    exchanges: [keptAnswersExchange(openDatabase(name)), fetchExchange],
  })
}

const read = (client: Client, page = 1, keep = true) => client.query(READ, { page }, { keep }).toPromise()

beforeEach(() => {
  online = true
  let id = 0
  vi.stubGlobal('fetch', async () => {
    if (!online) throw new TypeError('offline')
    id += 1
    return Response.json({ data: { replica: { id: String(id) } } })
  })
})

afterEach(() => vi.unstubAllGlobals())

describe('kept answers', () => {
  it('are given again, with their age, to a later visit that no replica answers', async () => {
    const name = `answers-${(count += 1)}`
    const before = Date.now()
    const fresh = await read(visit(name))
    expect(keptAt(fresh)).toBeNull()
    online = false
    await vi.waitFor(async () => {
      const kept = await read(visit(name))
      expect(kept.error).toBeUndefined()
      expect(kept.data).toEqual({ replica: { id: '1' } })
      expect(keptAt(kept)).toBeGreaterThanOrEqual(before)
    })
  })

  it('are those of the same variables only, and only of queries that ask for it', async () => {
    const name = `answers-${(count += 1)}`
    await read(visit(name), 1)
    await read(visit(name), 2, false)
    online = false
    expect((await read(visit(name), 2)).error).toBeDefined()
    expect((await read(visit(name), 3)).error).toBeDefined()
  })

  it('are the newest hundred', async () => {
    const name = `answers-${(count += 1)}`
    const client = visit(name)
    for (let page = 1; page <= 120; page += 1) await read(client, page)
    const database = await openDatabase(name)
    await vi.waitFor(async () => expect(await database?.count('answers')).toBe(100))
    online = false
    expect((await read(client, 1)).error).toBeDefined()
    expect((await read(client, 120)).error).toBeUndefined()
  })

  it('give nothing where the request itself is wrong', async () => {
    const name = `answers-${(count += 1)}`
    await read(visit(name))
    vi.stubGlobal('fetch', async () =>
      Response.json({ errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] }),
    )
    expect((await read(visit(name))).error).toBeDefined()
  })
})
