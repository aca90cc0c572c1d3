import type { Client } from '@urql/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, ref, type EffectScope } from 'vue'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { batch, change, expense } from './testing'
import { moneyOf } from './totals'
import { useTotals } from './useTotals'

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function setUp() {
  const asked: ((result: unknown) => void)[] = []
  const client = {
    query: () => ({ toPromise: () => new Promise((resolve) => asked.push(resolve)) }),
  } as unknown as Client
  const filter = ref<ExpenseFilter | null>({})
  const totals = scope.run(() => useTotals({ client, filter: () => filter.value, accepts: () => true, keep: true }))
  if (!totals) throw new Error('no scope')

  async function respond(result: unknown) {
    const next = asked.shift()
    if (!next) throw new Error('nothing was asked for')
    next(result)
    await vi.advanceTimersByTimeAsync(0)
  }
  return {
    ...totals,
    asked,
    filter,
    fail: () => respond({ error: new Error('no replica') }),
    answer(euros: number, keptAt?: number) {
      const total = { amount: `${euros}.00`, currency: 'EUR', minorUnits: `${euros}00` }
      return respond({ data: { summary: [{ total, count: 1 }] }, extensions: keptAt ? { keptAt } : undefined })
    },
    shown: () => totals.totals.value && moneyOf(totals.totals.value),
  }
}

it('are asked for again until they can be read, ever more seldom', async () => {
  const { fail, answer, asked, shown } = setUp()
  await fail()
  await vi.advanceTimersByTimeAsync(500)
  await fail()
  await vi.advanceTimersByTimeAsync(500)
  expect(asked).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(500)
  await answer(3)
  expect(shown()).toEqual([{ amount: '3.00', currency: 'EUR' }])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(0)
})

it('are shown as they were kept only where there are no newer ones, and asked for again', async () => {
  const { answer, read, asked, shown } = setUp()
  await answer(1, 1_000)
  expect(shown()).toEqual([{ amount: '1.00', currency: 'EUR' }])
  await vi.advanceTimersByTimeAsync(500)
  await answer(2)
  void read()
  await answer(1, 1_000)
  expect(shown()).toEqual([{ amount: '2.00', currency: 'EUR' }])
  await vi.advanceTimersByTimeAsync(500)
  expect(asked).toHaveLength(1)
})

it('ask for a new filter at once', async () => {
  const { fail, filter, asked, shown } = setUp()
  await fail()
  filter.value = { text: 'tea' }
  await vi.advanceTimersByTimeAsync(0)
  expect([asked.length, shown()]).toEqual([1, null])
  await vi.advanceTimersByTimeAsync(500)
  expect(asked).toHaveLength(1)
})

it('reckon with a change, and ask whether it is so', async () => {
  const { answer, apply, asked, shown } = setUp()
  await answer(3)
  apply([batch(6, change('ExpenseAdded', expense('a', { amount: '2.00' })))])
  expect(shown()).toEqual([{ amount: '5.00', currency: 'EUR' }])
  await vi.advanceTimersByTimeAsync(1_500)
  expect(asked).toHaveLength(1)
})
