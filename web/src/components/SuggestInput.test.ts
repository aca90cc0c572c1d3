import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import SuggestInput from './SuggestInput.vue'

async function field() {
  const wrapper = mount(SuggestInput, {
    props: {
      label: 'Description',
      modelValue: '',
      suggestions: [{ key: 'a' }, { key: 'b' }],
      'onUpdate:modelValue': (modelValue: string) => wrapper.setProps({ modelValue }),
    },
    slots: { default: '<b>{{ params.suggestion.key }}</b>' },
    attachTo: document.body,
  })
  const input = wrapper.get('input')
  input.element.focus()
  await input.setValue('x')
  const press = (key: string) => input.trigger('keydown', { key })
  const marked = () => wrapper.findAll('[aria-selected="true"]').map((option) => option.attributes('id'))
  return { wrapper, input, press, marked }
}

describe('a field with suggestions', () => {
  it('marks nothing until the person goes into the list', async () => {
    const { input, marked, press, wrapper } = await field()
    expect(input.attributes('aria-expanded')).toBe('true')
    expect(marked()).toEqual([])
    await press('Enter')
    expect(wrapper.emitted('pick')).toBeUndefined()
    expect(wrapper.emitted('enter')).toHaveLength(1)
  })

  it('goes round through the list, and back to what was typed', async () => {
    const { input, marked, press } = await field()
    await press('ArrowDown')
    await press('ArrowDown')
    expect(marked()).toEqual([input.attributes('aria-activedescendant')])
    await press('ArrowDown')
    expect(marked()).toEqual([])
    await press('ArrowUp')
    expect(marked()).toHaveLength(1)
  })

  it('picks what is marked', async () => {
    const { wrapper, press, input } = await field()
    await press('ArrowDown')
    await press('Enter')
    expect(wrapper.emitted('pick')).toEqual([[{ key: 'a' }]])
    expect(input.attributes('aria-expanded')).toBe('false')
  })

  it('closes the list with Escape, and only that', async () => {
    const { press, input, wrapper } = await field()
    let reached = 0
    wrapper.element.addEventListener('keydown', () => (reached += 1))
    await press('Escape')
    expect([reached, input.attributes('aria-expanded')]).toEqual([0, 'false'])
    await press('Escape')
    expect(reached).toBe(1)
  })
})
