import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { answering, providedClient } from '@/testing/client'
import { provided } from '@/testing/services'
import FilterBar from './FilterBar.vue'
import { useExpenseQuery, type ExpenseQuery } from './useExpenseQuery'

const food = { __typename: 'Category', id: 'food', name: 'Food', color: null, version: 1, expenseCount: 2 }

async function page(path: string) {
  let query: ExpenseQuery | undefined
  const Page = defineComponent(() => {
    const own = (query = useExpenseQuery())
    return () => h(FilterBar, { query: own })
  })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', name: 'expenses', component: Page }] })
  await router.push(path)
  const client = answering({ Categories: () => ({ categories: [food] }) })
  const services = provided({ client })
  const wrapper = mount(Page, {
    attachTo: document.body,
    global: { plugins: [router], provide: { ...providedClient(client), ...services } },
  })
  await flushPromises()
  if (!query) throw new Error('the page was not made')
  const input = wrapper.get('input')
  const address = () => router.currentRoute.value.query['q']
  const back = async () => {
    router.back()
    await flushPromises()
  }
  return { wrapper, query, input, address, back }
}

afterEach(() => {
  vi.useRealTimers()
  document.body.innerHTML = ''
})

describe('the query', () => {
  it('comes from the address', async () => {
    const { query, input, wrapper } = await page('/?q=cat:food+-tag:trip')
    expect(input.element.value).toBe('cat:food -tag:trip')
    expect(query.filter.value).toEqual({ categoryIds: ['food'], not: { tags: ['trip'] } })
    expect(query.ready.value).toBe(true)
    expect(wrapper.findAll('.chip').map((chip) => chip.text())).toEqual(['Food', 'nottag:trip'])
  })

  it('is one step of the history for what is typed in one go', async () => {
    vi.useFakeTimers()
    const { query, input, address, back } = await page('/?q=old')
    for (const text of ['m', 'milk', 'milk tag:a']) {
      await input.setValue(text)
      expect(query.filter.value).not.toHaveProperty('tags')
      await vi.advanceTimersByTimeAsync(300)
      expect(address()).toBe(text)
    }
    await input.trigger('keydown', { key: 'Enter' })
    await input.setValue('eggs')
    await vi.advanceTimersByTimeAsync(300)
    expect(query.filter.value).toEqual({ text: 'eggs' })
    await back()
    expect([address(), input.element.value]).toEqual(['milk tag:a', 'milk tag:a'])
    await back()
    expect([address(), query.filter.value]).toEqual(['old', { text: 'old' }])
  })

  it('stays the same object as long as it means the same', async () => {
    const { query } = await page('/?q=milk')
    const before = query.filter.value
    query.submit('text:milk')
    await flushPromises()
    expect(query.text.value).toBe('text:milk')
    expect(query.filter.value).toBe(before)
  })
})

describe('the bar', () => {
  it('takes a term out, and goes on to the next one', async () => {
    const { wrapper, address } = await page('/?q=milk+tag:a')
    await wrapper.get('[aria-label="Remove milk"]').trigger('click')
    await flushPromises()
    expect(address()).toBe('tag:a')
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Remove tag:a')
    await wrapper.get('[aria-label="Remove tag:a"]').trigger('click')
    await flushPromises()
    expect(address()).toBeUndefined()
    expect(document.activeElement).toBe(wrapper.get('input').element)
  })

  it('says what is wrong, but not of the word that is being typed', async () => {
    const { wrapper, input } = await page('/?q=milk')
    await input.setValue('milk date:soon')
    expect(wrapper.get('[role="status"]').text()).toBe('')
    await input.trigger('keydown', { key: 'Enter' })
    expect(wrapper.get('[role="status"]').text()).toContain('“soon” is no date')
  })

  it('is cleared', async () => {
    const { wrapper, address } = await page('/?q=milk')
    await wrapper.get('[aria-label="Clear the search"]').trigger('click')
    await flushPromises()
    expect(address()).toBeUndefined()
  })

  it('puts the word at the caret in place', async () => {
    const { input, address } = await page('/')
    input.element.focus()
    await input.setValue('cat:fo')
    await input.trigger('keydown', { key: 'ArrowDown' })
    await input.trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect([input.element.value, address()]).toEqual(['cat:Food ', 'cat:Food'])
  })
})
