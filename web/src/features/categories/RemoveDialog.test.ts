import { mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Category } from '@/feed/expense'
import type { CategoryMutations } from './mutations'
import RemoveDialog, { type Removal } from './RemoveDialog.vue'

const FOOD: Category = { id: 'food', name: 'Food', color: null, version: 3, expenseCount: 1234 }
const OTHER: Category = { id: 'other', name: 'Other', color: null, version: 1, expenseCount: 0 }

async function dialog(removal: Removal) {
  const remove = vi.fn<CategoryMutations['remove']>(() => Promise.resolve(null))
  const mutations = { remove, add: vi.fn(), update: vi.fn() }
  const wrapper = mount(RemoveDialog, {
    attachTo: document.body,
    props: { modelValue: null, categories: [FOOD, OTHER], mutations },
  })
  await wrapper.setProps({ modelValue: removal })
  await nextTick()
  const shown = () => document.querySelector('[role="dialog"]')
  const press = async (text: string) => {
    const all = [...(shown()?.querySelectorAll('button') ?? [])]
    all.find((button) => button.textContent?.trim() === text)?.click()
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { wrapper, remove, shown, press }
}

afterEach(() => {
  document.body.innerHTML = ''
})

describe('ending a category', () => {
  it('says how many expenses move, and merges', async () => {
    const { wrapper, remove, shown, press } = await dialog({ category: FOOD, merge: true, target: OTHER })
    expect(shown()?.textContent).toContain('Its 1,234 expenses move to “Other”.')
    await press('Merge')
    expect(remove).toHaveBeenCalledWith({ id: 'food', mergeInto: 'other' })
    expect(wrapper.emitted('done')).toHaveLength(1)
  })

  it('says how many expenses stay without one, and deletes', async () => {
    const { remove, shown, press } = await dialog({ category: FOOD, merge: false, target: null })
    expect(shown()?.textContent).toContain('Its 1,234 expenses stay and become uncategorised.')
    await press('Delete')
    expect(remove).toHaveBeenCalledWith({ id: 'food' })
  })

  it('merges into nothing that was not chosen', async () => {
    const { remove, press } = await dialog({ category: FOOD, merge: true, target: null })
    await press('Merge')
    expect(remove).not.toHaveBeenCalled()
  })
})
