import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import type { Category } from '@/feed/expense'
import type { CategoryMutations, Problem } from './mutations'
import RenameField from './RenameField.vue'

const FOOD: Category = { id: 'food', name: 'Food', color: null, version: 3, expenseCount: 5 }
const CAFE: Category = { id: 'cafe', name: 'Café', color: null, version: 1, expenseCount: 1 }

/** A field whose mutations answer with what is given, one after the other. */
function field(...answers: (Problem | null)[]) {
  const update = vi.fn<CategoryMutations['update']>(() => Promise.resolve(answers.shift() ?? null))
  const mutations = { update, add: vi.fn(), remove: vi.fn() }
  const wrapper = mount(RenameField, { props: { category: FOOD, categories: [FOOD, CAFE], mutations } })
  const type = async (name: string) => {
    await wrapper.get('input').setValue(name)
    await wrapper.get('form').trigger('submit')
    await new Promise((resolve) => setTimeout(resolve))
  }
  const button = (text: string) => wrapper.findAll('button').find((each) => each.text() === text)
  return { wrapper, update, type, button, value: () => wrapper.get('input').element.value }
}

describe('renaming a category', () => {
  it('says which version the person has seen', async () => {
    const { wrapper, update, type } = field()
    await type(' Groceries ')
    expect(update).toHaveBeenCalledWith({ id: 'food', name: 'Groceries', expectedVersion: 3 })
    expect(wrapper.emitted('done')).toHaveLength(1)
  })

  it('offers to merge where the name is taken, in any case and without accents', async () => {
    const { wrapper, type, button, value } = field({ kind: 'taken' })
    await type('CAFE')
    expect(wrapper.text()).toContain('“Café” is there already.')
    await button('Merge into “Café”')?.trigger('click')
    expect(wrapper.emitted('merge')).toEqual([[CAFE]])
    expect(value()).toBe('CAFE')
  })

  it('shows at once what somebody else has made of it, and keeps what was typed', async () => {
    const { wrapper, update, button, value } = field()
    await wrapper.get('input').setValue('Groceries')
    await wrapper.setProps({ category: { ...FOOD, name: 'Meals', version: 4 } })
    expect(wrapper.text()).toContain('It is called “Meals” now.')
    expect(value()).toBe('Groceries')
    await button('Use mine')?.trigger('click')
    expect(update).toHaveBeenCalledWith({ id: 'food', name: 'Groceries', expectedVersion: 4 })
  })

  it('asks no replica for a name that none would take', async () => {
    const { wrapper, update, type } = field()
    await type(' ')
    expect(wrapper.text()).toContain('Give it a name.')
    await type('x'.repeat(65))
    expect(wrapper.text()).toContain('At most 64 characters.')
    expect(update).not.toHaveBeenCalled()
  })

  it('keeps what was typed where no replica answers', async () => {
    const { wrapper, type, value } = field({ kind: 'unsent' })
    await type('Groceries')
    expect(wrapper.get('input').attributes('aria-invalid')).toBe('true')
    expect(value()).toBe('Groceries')
    expect(wrapper.emitted('done')).toBeUndefined()
  })
})
