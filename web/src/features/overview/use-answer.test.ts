import { CombinedError, type Client } from '@urql/core'
import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive, ref } from 'vue'
import type { FeedMessage } from '@/feed/feed'
import { servicesKey } from '@/services'
import { QUIET } from '@/testing/services'
import { CurrenciesQuery } from './query'
import { useAnswer, type LiveAnswer } from './use-answer'

type Listener = (result: { data?: unknown; error?: CombinedError; extensions?: Record<string, unknown> }) => void

/** A page that asks, at replicas that answer when the test says so. */
function page() {
  const asked: { variables: unknown; answer: Listener; given: boolean }[] = []
  const query = vi.fn((_: unknown, variables: unknown) => ({
    subscribe(listener: Listener) {
      const question = { variables, answer: listener, given: false }
      asked.push(question)
      return { unsubscribe: () => (question.given = true) }
    },
  }))
  const listeners = new Set<(message: FeedMessage) => void>()
  const endpoints = reactive({ state: { reachability: 'online' } })
  const feed = {
    state: QUIET.feed.state,
    listen(listener: (message: FeedMessage) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const month = ref<string | null>('2026-11')
  let live!: LiveAnswer<string, unknown>
  const wrapper = mount(
    defineComponent({
      setup() {
        live = useAnswer({
          query: CurrenciesQuery,
          input: () => month.value,
          variables: (input) => ({ from: `${input}-01`, to: `${input}-28` }),
          touched: (message) => message.type === 'resync',
        })
        return () => h('p')
      },
    }),
    { global: { provide: { [servicesKey as symbol]: { client: { query } as unknown as Client, feed, endpoints } } } },
  )
  const tell = () => listeners.forEach((listener) => listener({ type: 'resync' }))
  return { asked, listeners, month, wrapper, tell, endpoints, live: () => live }
}

const failure = new CombinedError({ networkError: new Error('gone') })

describe('a live answer', () => {
  beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }))
  afterEach(() => vi.useRealTimers())

  it('is of what was asked, and stays until the next one is there', async () => {
    const { asked, month, live } = page()
    expect([live().waiting.value, asked[0]?.variables]).toEqual([true, { from: '2026-11-01', to: '2026-11-28' }])
    asked[0]?.answer({ data: 'november', extensions: { keptAt: 7 } })
    expect(live().answer.value).toEqual({ input: '2026-11', data: 'november', keptAt: 7 })

    month.value = '2026-10'
    await nextTick()
    expect([live().waiting.value, live().answer.value?.data, asked[0]?.given]).toEqual([true, 'november', true])
    asked[1]?.answer({ data: 'october' })
    expect(live().answer.value).toEqual({ input: '2026-10', data: 'october', keptAt: null })
  })

  it('is asked for again at most once a second, however much changes', async () => {
    const { asked, tell } = page()
    vi.advanceTimersByTime(5_000)
    for (let change = 0; change < 20; change += 1) tell()
    vi.advanceTimersByTime(100)
    expect(asked.length).toBe(2)
    for (let change = 0; change < 20; change += 1) tell()
    vi.advanceTimersByTime(999)
    expect(asked.length).toBe(2)
    vi.advanceTimersByTime(1)
    expect(asked.length).toBe(3)
  })

  it('is asked for again when a replica answers again', async () => {
    const { asked, endpoints } = page()
    endpoints.state.reachability = 'offline'
    await nextTick()
    expect(asked.length).toBe(1)
    endpoints.state.reachability = 'online'
    await nextTick()
    expect(asked.length).toBe(2)
  })

  it('keeps the figures, and says that newer ones could not be had', () => {
    const { asked, live } = page()
    asked[0]?.answer({ data: 'november' })
    live().again()
    asked[1]?.answer({ error: failure })
    expect([live().answer.value?.data, live().failed.value, live().waiting.value]).toEqual(['november', failure, false])
    live().again()
    asked[2]?.answer({ data: 'newer' })
    expect([live().answer.value?.data, live().failed.value]).toEqual(['newer', null])
  })

  it('ends with the page', () => {
    const { asked, listeners, wrapper, tell } = page()
    vi.advanceTimersByTime(5_000)
    tell()
    wrapper.unmount()
    vi.advanceTimersByTime(5_000)
    expect([asked.length, asked[0]?.given, listeners.size]).toEqual([1, true, 0])
  })
})
