import type { Client } from '@urql/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, reactive, ref, type EffectScope } from 'vue'
import type { Expense } from '@/feed/expense'
import { isAfter, type Batch, type Feed, type FeedMessage } from '@/feed/feed'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import type { Terms } from './loaded'
import { batch, change, expense } from './testing'
import { usePages } from './usePages'

const terms: Terms = { accepts: ({ deletedAt }) => deletedAt === null, byCategory: false, category: () => null }

interface Answer {
  rows: Expense[]
  more?: boolean
  revision: number
  keptAt?: number
}

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'] })
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function setUp() {
  const state = reactive({ revision: '5' as string | null, caughtUp: true })
  const kept: Batch[] = []
  let keptAfter = 5n
  let tell: (message: FeedMessage) => void = () => undefined
  const feed = {
    state,
    listen(listener: (message: FeedMessage) => void) {
      tell = listener
      return () => undefined
    },
    since: (revision: string) => (BigInt(revision) < keptAfter ? null : kept.filter((each) => isAfter(each.revision, revision))),
  } as unknown as Feed

  const asked: { variables: { filter: ExpenseFilter; after: string | null }; answer: (answer: Answer | Error) => void }[] = []
  const client = {
    query: (_: unknown, variables: { filter: ExpenseFilter; after: string | null }) => ({
      toPromise: () =>
        new Promise((resolve) => {
          asked.push({
            variables,
            answer: (given) => {
              if (given instanceof Error) {
                resolve({ error: given })
                return
              }
              const { rows, more = false, revision, keptAt } = given
              const expenses = { nodes: rows, pageInfo: { hasNextPage: more, endCursor: 'cursor' }, revision: String(revision) }
              resolve({ data: { expenses }, extensions: keptAt ? { keptAt } : undefined })
            },
          })
        }),
    }),
  } as unknown as Client

  const filter = ref<ExpenseFilter>({})
  const onChanges = vi.fn()
  const onReread = vi.fn()
  const pages = scope.run(() => usePages({ client, feed, filter: () => filter.value, terms: () => terms, onChanges, onReread }))
  if (!pages) throw new Error('no scope')

  return {
    pages,
    filter,
    state,
    onChanges,
    onReread,
    asked,
    async answer(given: Answer | Error) {
      const next = asked.shift()
      if (!next) throw new Error('nothing was asked for')
      next.answer(given)
      await vi.advanceTimersByTimeAsync(0)
      return next.variables
    },
    bring(...batches: Batch[]) {
      for (const each of batches) {
        kept.push(each)
        tell({ type: 'batch', batch: each })
      }
    },
    lose(upTo: bigint) {
      keptAfter = upTo
      kept.length = 0
    },
    resync: () => tell({ type: 'resync' }),
    ids: () => pages.loaded.value?.rows.map(({ id }) => id),
  }
}

const added = (id: string, revision: number) => batch(revision, change('ExpenseAdded', expense(id, { revision: String(revision) })))

describe('the pages of a list', () => {
  it('come one after the other', async () => {
    const { pages, answer, ids } = setUp()
    expect(pages.state.status).toBe('loading')
    await answer({ rows: [expense('d'), expense('c')], more: true, revision: 5 })
    expect([pages.state.status, ids()]).toEqual(['ready', ['d', 'c']])
    void pages.more()
    void pages.more()
    expect(await answer({ rows: [expense('b')], revision: 5 })).toMatchObject({ after: 'cursor' })
    expect(ids()).toEqual(['d', 'c', 'b'])
  })

  it('apply a burst of changes once a frame', async () => {
    const { answer, bring, ids, onChanges } = setUp()
    await answer({ rows: [expense('b')], revision: 5 })
    bring(added('c', 6), added('d', 7))
    expect(ids()).toEqual(['b'])
    await vi.advanceTimersByTimeAsync(20)
    expect(ids()).toEqual(['d', 'c', 'b'])
    expect(onChanges).toHaveBeenCalledOnce()
  })

  it('miss nothing that came while they were read', async () => {
    const { answer, bring, ids } = setUp()
    bring(added('c', 6))
    await answer({ rows: [expense('b')], revision: 5 })
    expect(ids()).toEqual(['c', 'b'])
  })

  it('are brought up to date where they come from a replica that is behind', async () => {
    const { pages, answer, bring, ids } = setUp()
    await answer({ rows: [expense('d')], more: true, revision: 5 })
    const gone = expense('b', { revision: '6', deletedAt: 'now' })
    bring(batch(6, change('ExpenseDeleted', gone)))
    await vi.advanceTimersByTimeAsync(20)
    void pages.more()
    await answer({ rows: [expense('c'), expense('b')], revision: 5 })
    expect(ids()).toEqual(['d', 'c'])
  })

  it('tell every change once, though a page brings some of them first', async () => {
    const { pages, answer, bring, ids, onChanges } = setUp()
    await answer({ rows: [expense('d')], more: true, revision: 5 })
    bring(added('e', 6))
    await vi.advanceTimersByTimeAsync(20)
    void pages.more()
    bring(added('f', 7))
    await answer({ rows: [expense('c')], revision: 5 })
    await vi.advanceTimersByTimeAsync(20)
    expect(ids()).toEqual(['f', 'e', 'd', 'c'])
    const told = onChanges.mock.calls.flatMap(([batches]) => (batches as Batch[]).map(({ revision }) => revision))
    expect(told).toEqual(['6', '7'])
  })

  it('leave no hole where they are read again while the next one comes', async () => {
    const { pages, answer, asked, resync, ids } = setUp()
    await answer({ rows: [expense('d')], more: true, revision: 5 })
    resync()
    void pages.more()
    await answer({ rows: [expense('e')], more: true, revision: 9 })
    expect(pages.state.loadingMore).toBe(false)
    await answer({ rows: [expense('b')], revision: 9 })
    expect([ids(), asked.length]).toEqual([['e'], 0])
  })

  it('say when they have been read from the top', async () => {
    const { answer, resync, onReread } = setUp()
    await answer({ rows: [expense('b')], revision: 2, keptAt: 1_000 })
    expect(onReread).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(250)
    await answer({ rows: [expense('b')], revision: 5 })
    resync()
    await answer(new Error('no replica'))
    expect(onReread).toHaveBeenCalledOnce()
  })

  it('are read again where the feed has lost what came between, and keep what is shown until then', async () => {
    const { answer, asked, lose, bring, ids } = setUp()
    await answer({ rows: [expense('b')], revision: 5 })
    lose(50n)
    bring(added('z', 51))
    await vi.advanceTimersByTimeAsync(20)
    expect(ids()).toEqual(['b'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toHaveLength(1)
    await answer({ rows: [expense('y')], revision: 51 })
    expect(ids()).toEqual(['y'])
  })

  it('are read again at once after a resync', async () => {
    const { answer, resync, ids } = setUp()
    await answer({ rows: [expense('b')], revision: 5 })
    resync()
    await answer({ rows: [expense('c')], revision: 90 })
    expect(ids()).toEqual(['c'])
  })

  it('are those of the newest filter, whichever answer comes last', async () => {
    const { answer, filter, asked, ids } = setUp()
    filter.value = { text: 'tea' }
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.map(({ variables }) => variables.filter)).toEqual([{}, { text: 'tea' }])
    asked.reverse()
    await answer({ rows: [expense('tea')], revision: 5 })
    await answer({ rows: [expense('all')], revision: 5 })
    expect(ids()).toEqual(['tea'])
  })

  it('are never those of another filter, not even where its own cannot be read', async () => {
    const { pages, answer, filter, ids } = setUp()
    await answer({ rows: [expense('b')], revision: 5 })
    filter.value = { text: 'tea' }
    await vi.advanceTimersByTimeAsync(0)
    expect([pages.state.status, ids()]).toEqual(['loading', undefined])
    await answer(new Error('no replica'))
    expect([pages.state.status, ids()]).toEqual(['failed', undefined])
  })

  it('fail where there is nothing to show, and are tried again', async () => {
    const { pages, answer, ids } = setUp()
    await answer(new Error('no replica'))
    expect(pages.state.status).toBe('failed')
    await vi.advanceTimersByTimeAsync(1_000)
    await answer({ rows: [expense('b')], revision: 5 })
    expect([pages.state.status, ids()]).toEqual(['ready', ['b']])
  })

  it('say when they are kept ones, and take no changes then', async () => {
    const { pages, answer, bring, ids } = setUp()
    await answer({ rows: [expense('b')], more: true, revision: 2, keptAt: 1_000 })
    expect(pages.state.keptAt).toBe(1_000)
    bring(added('c', 6))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(ids()).toEqual(['b'])
  })

  it('stay as they are where only an older answer is to be had', async () => {
    const { pages, answer, resync, bring, asked, ids } = setUp()
    await answer({ rows: [expense('b')], revision: 5 })
    resync()
    await answer({ rows: [expense('a')], revision: 2, keptAt: 1_000 })
    expect([pages.state.keptAt, ids()]).toEqual([null, ['b']])
    bring(added('c', 6))
    await vi.advanceTimersByTimeAsync(20)
    expect(ids()).toEqual(['c', 'b'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toHaveLength(1)
  })

  it('are read again while they are kept ones, ever more seldom', async () => {
    const { pages, answer, asked, ids } = setUp()
    await answer({ rows: [expense('b')], revision: 2, keptAt: 1_000 })
    const shown = pages.loaded.value
    await vi.advanceTimersByTimeAsync(250)
    await answer({ rows: [expense('b')], revision: 2, keptAt: 1_000 })
    expect(pages.loaded.value).toBe(shown)
    await vi.advanceTimersByTimeAsync(250)
    expect(asked).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(250)
    await answer({ rows: [expense('c')], revision: 5 })
    expect([pages.state.keptAt, ids()]).toEqual([null, ['c']])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toHaveLength(0)
  })
})
