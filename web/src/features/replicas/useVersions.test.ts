import urql from '@urql/vue'
import { flushPromises, mount } from '@vue/test-utils'
import { computed, defineComponent, h, ref, shallowRef } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Replica } from '@/cluster/replica'
import type { FeedMessage } from '@/feed/feed'
import { createAccess } from '@/graphql/access'
import { createClient as createApi } from '@/graphql/client'
import { createEndpoints } from '@/graphql/endpoints'
import { moment } from '@/testing/replicas'
import { provided } from '@/testing/services'
import { useVersions, type Versions } from './useVersions'

const OWN = 'http://127.0.0.1:8081'
/** What each replica's database holds, by port; none where it does not answer. */
let held: Record<string, { version: number } | null | undefined>
let asked: string[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  asked = []
  held = { 8081: { version: 1 }, 8082: { version: 1 }, 8083: { version: 1 } }
  vi.stubGlobal('fetch', async (input: RequestInfo | URL) => {
    const { port } = new URL(String(input))
    asked.push(port)
    const expense = held[port]
    if (expense === undefined) throw new TypeError('Failed to fetch')
    const data = { replica: { id: port.slice(-1), revision: '10' }, expense: expense && { ...expense, revision: String(expense.version) } }
    return Response.json({ data })
  })
})
afterEach(() => vi.useRealTimers())

function put(id = ref<string | null>('x')) {
  const endpoints = createEndpoints(OWN, null)
  const replicas = shallowRef<readonly Replica[]>(moment(0, [10, 10, 10]).replicas)
  const listeners = new Set<(message: FeedMessage) => void>()
  let used: Versions | undefined
  const component = defineComponent(() => {
    used = useVersions(() => id.value)
    return () => h('p')
  })
  const wrapper = mount(component, {
    global: {
      plugins: [[urql, createApi(endpoints, createAccess(null))]],
      provide: provided({
        endpoints,
        cluster: { replicas: computed(() => replicas.value) },
        feed: { listen: (listener) => (listeners.add(listener), () => listeners.delete(listener)) },
      }),
    },
  })
  if (!used) throw new Error('it was not set up')
  const tell = (message: FeedMessage) => listeners.forEach((listener) => listener(message))
  return { id, replicas, tell, versions: used.versions, wrapper }
}

/** Lets everything that is on its way arrive. */
async function settle(milliseconds = 0) {
  for (let turn = 0; turn < 5; turn += 1) {
    await flushPromises()
    await vi.advanceTimersByTimeAsync(milliseconds / 5)
  }
}

const states = ({ versions }: ReturnType<typeof put>) => versions.value.map(({ reading }) => reading.state)
const changed = (id: string): FeedMessage => ({
  type: 'batch',
  batch: { changes: [{ __typename: 'ExpenseDeleted', expense: { id } }] } as unknown as Extract<FeedMessage, { type: 'batch' }>['batch'],
})

test('every replica is asked at its own address', async () => {
  const page = put()
  await settle()
  expect(states(page)).toEqual(['read', 'read', 'read'])
  expect(asked).toEqual(['8081', '8082', '8083'])
})

test('one that is down says so, and the page is not moved by it', async () => {
  held[8083] = undefined
  const page = put()
  await settle()
  expect(states(page)).toEqual(['read', 'read', 'down'])
  await settle(20_000)
  expect(asked).toHaveLength(3)
})

test('it is read again when the expense changes, and not for others', async () => {
  const page = put()
  await settle()
  page.tell(changed('another'))
  await settle()
  expect(asked).toHaveLength(3)
  page.tell(changed('x'))
  await settle()
  expect(asked).toHaveLength(6)
})

test('copies that differ are read again until they agree', async () => {
  held[8082] = { version: 2 }
  const page = put()
  await settle()
  expect(asked).toHaveLength(3)
  held[8081] = held[8083] = { version: 2 }
  await settle(500)
  expect(asked).toHaveLength(6)
  await settle(20_000)
  expect(asked).toHaveLength(6)
  expect(page.versions.value.map(({ reading }) => reading.state === 'read' && reading.expense?.version)).toEqual([2, 2, 2])
})

test('copies that stay different are not read for ever', async () => {
  held[8082] = null
  put()
  await settle(200_000)
  const reads = asked.length
  expect(reads).toBe(27)
  await settle(200_000)
  expect(asked).toHaveLength(reads)
})

test('it is read again when a replica is back', async () => {
  const page = put()
  await settle()
  page.replicas.value = moment(1, [10, 10, 10], { 3: { role: 'UNREACHABLE' } }).replicas
  await settle()
  page.replicas.value = moment(2, [10, 10, 10]).replicas
  await settle()
  expect(asked).toHaveLength(9)
})

test('nothing is read without an expense, nor after the page was left', async () => {
  const page = put(ref(null))
  await settle()
  expect(asked).toEqual([])
  page.id.value = 'x'
  held[8082] = { version: 2 }
  await settle()
  page.wrapper.unmount()
  const reads = asked.length
  page.tell(changed('x'))
  await settle(20_000)
  expect(asked).toHaveLength(reads)
})
