import { describe, expect, it } from 'vitest'
import { createEndpoints, sameAddress, socketUrl } from './endpoints'

const ORIGIN = 'http://127.0.0.1:8081'
const CLUSTER = [1, 2, 3].map((id) => ({ id: String(id), url: `http://127.0.0.1:808${id}` }))

function memory(): Pick<Storage, 'getItem' | 'setItem'> {
  const values = new Map<string, string>()
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) }
}

describe('endpoints', () => {
  it('begin at the replica that served the page, and learn which one that is', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    expect(endpoints.current.value).toEqual({ url: ORIGIN, replicaId: null })
    endpoints.learn(CLUSTER)
    expect(endpoints.state.list.map(({ replicaId }) => replicaId)).toEqual(['1', '2', '3'])
    expect(endpoints.current.value).toEqual({ url: ORIGIN, replicaId: '1' })
  })

  it('move on when the current one fails, once for all requests that failed there', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    endpoints.learn(CLUSTER)
    endpoints.failed(ORIGIN)
    endpoints.failed(ORIGIN)
    endpoints.failed(ORIGIN)
    expect(endpoints.current.value.replicaId).toBe('2')
    expect(endpoints.state.reachability).toBe('trying')
    endpoints.answered('http://127.0.0.1:8082')
    expect(endpoints.state.reachability).toBe('online')
    expect(endpoints.state.moved?.from.replicaId).toBe('1')
  })

  it('are offline when every one has failed, and online at the first answer', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    endpoints.learn(CLUSTER)
    for (const { url } of CLUSTER) endpoints.failed(url)
    expect(endpoints.state.reachability).toBe('offline')
    expect(endpoints.current.value.url).toBe(ORIGIN)
    // A late failure of another round changes nothing of that.
    endpoints.failed('http://127.0.0.1:8083')
    expect(endpoints.current.value.url).toBe(ORIGIN)
    endpoints.answered(ORIGIN)
    expect(endpoints.state.reachability).toBe('online')
  })

  it('move on from a replica that answers but cannot serve, without being offline for that', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    endpoints.learn(CLUSTER)
    for (const { url } of [...CLUSTER, ...CLUSTER]) endpoints.unfit(url)
    expect(endpoints.state.reachability).toBe('online')
    expect(endpoints.current.value.replicaId).toBe('1')
  })

  it('are known again at the next visit, even if the page came from a cache', () => {
    const storage = memory()
    createEndpoints(ORIGIN, storage).learn(CLUSTER)
    const again = createEndpoints(ORIGIN, storage)
    expect(again.state.list.map(({ url }) => url)).toEqual(CLUSTER.map(({ url }) => url))
  })

  it('take nothing for an address that is none, and no more than they can hold', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    endpoints.learn([{ id: '4', url: 'javascript:alert(1)' }, { id: '5', url: '' }])
    expect(endpoints.state.list).toHaveLength(1)
    endpoints.learn(Array.from({ length: 50 }, (_, id) => ({ id: String(id), url: `http://10.0.0.${id}:1` })))
    expect(endpoints.state.list).toHaveLength(10)
    const broken = { getItem: () => '{"not": "a list"}', setItem: () => undefined }
    expect(createEndpoints(ORIGIN, broken).state.list).toHaveLength(1)
  })

  it('forget where the cluster used to be', () => {
    const endpoints = createEndpoints(ORIGIN, null)
    endpoints.learn(CLUSTER)
    endpoints.failed(ORIGIN)
    endpoints.learn([2, 4].map((id) => ({ id: String(id), url: `http://127.0.0.1:808${id}` })))
    expect(endpoints.state.list.map(({ url }) => url)).toEqual([ORIGIN, 'http://127.0.0.1:8082', 'http://127.0.0.1:8084'])
    expect(endpoints.current.value.replicaId).toBe('2')
    endpoints.learn([{ id: '9', url: '' }])
    expect(endpoints.state.list).toHaveLength(3)
  })

  it('know the names that a machine has for itself', () => {
    expect(sameAddress('http://localhost:8081', 'http://127.0.0.1:8081')).toBe(true)
    expect(sameAddress('http://localhost:8081', 'http://127.0.0.1:8082')).toBe(false)
    expect(sameAddress('http://localhost.example:8081', 'http://127.0.0.1:8081')).toBe(false)
    expect(socketUrl({ url: 'https://expenses.example', replicaId: null })).toBe('wss://expenses.example/graphql')
  })
})
