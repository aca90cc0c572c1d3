import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { reactive, shallowReactive } from 'vue'
import { today } from '@/format/date'
import type { Command, Entry } from '@/outbox/entry'
import { OutboxFull, type Outbox } from '@/outbox/outbox'
import { answering, providedClient } from '@/testing/client'
import { provided } from '@/testing/services'
import QuickAdd from './QuickAdd.vue'

const food = { __typename: 'Category', id: 'food', name: 'Food', color: null, version: 1, expenseCount: 2 }

function page(submit?: Outbox['submit']) {
  const entries = shallowReactive<Entry[]>([])
  const accept = vi.fn((command: Command) => {
    const entry = reactive<Entry>({
      key: `k${entries.length}`,
      command,
      at: 0,
      state: 'queued',
      attempts: 0,
      receipt: null,
      errors: [],
      expense: null,
    })
    entries.push(entry)
    return { entry, settled: Promise.resolve(entry) }
  })
  const dismiss = vi.fn((key: string) => void entries.splice(entries.findIndex((entry) => entry.key === key), 1))
  const client = answering({
    Categories: () => ({ categories: [food] }),
    BaseCurrency: () => ({ ledgers: [{ id: 'l', baseCurrency: 'CHF' }] }),
    Suggestions: () => ({ expenses: { nodes: [] } }),
  })
  const wrapper = mount(QuickAdd, {
    attachTo: document.body,
    global: {
      provide: {
        ...providedClient(client),
        ...provided({
          client,
          outbox: { entries, submit: submit ?? accept, dismiss },
          cluster: { replicas: { value: [] } as never, holding: () => 0 },
        }),
      },
    },
  })
  const field = (label: string) => {
    const found = wrapper.findAll('label').find((each) => each.text() === label)
    return wrapper.get<HTMLInputElement>(`[id="${found?.attributes('for')}"]`)
  }
  const add = async () => {
    await wrapper.get('form').trigger('submit')
    await flushPromises()
  }
  return { wrapper, entries, accept, dismiss, field, add }
}

beforeEach(() => {
  sessionStorage.clear()
  document.body.innerHTML = ''
})

describe('quick add', () => {
  it('adds with an amount and a description, today, in the currency of the ledger', async () => {
    const { accept, field, add, wrapper } = page()
    await flushPromises()
    await field('Description').setValue(' Coffee ')
    await field('Amount').setValue('1.50+2')
    await add()
    expect(accept).toHaveBeenCalledOnce()
    expect(accept.mock.lastCall?.[0]).toMatchObject({
      kind: 'add',
      input: { description: 'Coffee', amount: '3.50', currency: 'CHF', spentOn: today(), categoryId: null, tags: [], notes: null },
    })
    expect(wrapper.get('[role="status"]').text()).toContain('Coffee')
    expect([field('Description').element.value, field('Amount').element.value]).toEqual(['', ''])
    expect(document.activeElement).toBe(field('Description').element)
  })

  it('gives every expense an id of its own', async () => {
    const { accept, field, add } = page()
    for (const amount of ['1', '2']) {
      await field('Description').setValue('Coffee')
      await field('Amount').setValue(amount)
      await add()
    }
    const ids = accept.mock.calls.map(([command]) => command.input.id)
    expect(new Set(ids).size).toBe(2)
  })

  it('takes the name of the category for the description, and stays at the amount', async () => {
    sessionStorage.setItem('threefold.draft', '{"categoryId":"food","amount":"5"}')
    const { accept, field, add } = page()
    await flushPromises()
    await add()
    expect(accept.mock.lastCall?.[0].input).toMatchObject({ description: 'Food', categoryId: 'food' })
    expect(document.activeElement).toBe(field('Amount').element)
  })

  it('asks for what is missing, and goes there', async () => {
    const { accept, field, add, wrapper } = page()
    await field('Description').setValue('Coffee')
    await add()
    expect(wrapper.text()).toContain('How much was it?')
    expect(document.activeElement).toBe(field('Amount').element)
    await field('Amount').setValue('5')
    await field('Description').setValue('')
    await add()
    expect(wrapper.text()).toContain('Say what it was')
    expect(accept).not.toHaveBeenCalled()
  })

  it('keeps everything where the outbox is full', async () => {
    const { field, add, wrapper } = page(() => {
      throw new OutboxFull()
    })
    await field('Description').setValue('Coffee')
    await field('Amount').setValue('5')
    await add()
    expect(wrapper.get('[role="alert"]').text()).toContain('Too many changes')
    expect([field('Description').element.value, field('Amount').element.value]).toEqual(['Coffee', '5'])
  })

  it('takes a refused one back into the form', async () => {
    const { entries, dismiss, field, add, wrapper } = page()
    await field('Description').setValue('Coffee')
    await field('Amount').setValue('5')
    await add()
    const [entry] = entries
    if (!entry) throw new Error('nothing was sent')
    entry.errors = [{ code: 'INVALID', message: 'too long', field: null }]
    entry.state = 'refused'
    await flushPromises()
    expect(wrapper.get('[role="alert"]').text()).toContain('too long')
    await wrapper.get('[role="alert"] button').trigger('click')
    await flushPromises()
    expect(dismiss).toHaveBeenCalledWith(entry.key)
    expect([field('Description').element.value, field('Amount').element.value]).toEqual(['Coffee', '5.00'])
  })
})
