import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { h, nextTick, reactive } from 'vue'
import AmountInput from './AmountInput.vue'

function field(given: { amount?: string | null; text?: string; currency?: string } = {}) {
  const state = reactive({ amount: given.amount ?? null, text: given.text ?? '', currency: given.currency ?? 'EUR', enters: 0 })
  const wrapper = mount(() =>
    h(AmountInput, {
      label: 'Amount',
      currency: state.currency,
      modelValue: state.amount,
      text: state.text,
      'onUpdate:modelValue': (amount: string | null) => (state.amount = amount),
      'onUpdate:text': (text: string) => (state.text = text),
      onEnter: () => (state.enters += 1),
    }),
  )
  return { wrapper, state, input: wrapper.get('input'), amount: () => state.amount }
}

describe('an amount', () => {
  it('is taken while it is typed', async () => {
    const { input, amount, wrapper } = field()
    await input.setValue('12.5')
    expect(amount()).toBe('12.50')
    expect(wrapper.find('output').exists()).toBe(false)
  })

  it('shows what a calculation comes to, and becomes that', async () => {
    const { input, amount, wrapper } = field()
    await input.setValue('12.50+3*2')
    expect(wrapper.get('output').text()).toBe('= €18.50')
    expect(amount()).toBe('18.50')
    await input.trigger('blur')
    expect(input.element.value).toBe('18.50')
  })

  it('says when a division is rounded', async () => {
    const { input, wrapper } = field()
    await input.setValue('10/3')
    expect(wrapper.get('output').text()).toBe('≈ €3.33')
  })

  it('is none while it is wrong, and stays as it was typed', async () => {
    const { input, amount, wrapper } = field()
    await input.setValue('12+')
    expect(amount()).toBeNull()
    expect(wrapper.find('.error').exists()).toBe(false)
    await input.trigger('blur')
    expect(wrapper.get('.error').text()).toContain('no calculation')
    expect(input.attributes('aria-invalid')).toBe('true')
    expect(input.element.value).toBe('12+')
  })

  it('is never rounded for its currency', async () => {
    const { input, amount, wrapper, state } = field({ currency: 'JPY' })
    await input.setValue('12.5')
    expect(amount()).toBeNull()
    expect(wrapper.get('.error').text()).toBe('JPY has no decimals.')
    state.currency = 'EUR'
    await nextTick()
    expect(amount()).toBe('12.50')
  })

  it('can be set and cleared from outside', async () => {
    const { state, input } = field({ amount: '7.25' })
    await nextTick()
    expect(input.element.value).toBe('7.25')
    state.amount = null
    await nextTick()
    await nextTick()
    expect(input.element.value).toBe('')
  })

  it('begins with a draft', async () => {
    const { amount } = field({ text: '2*4' })
    await nextTick()
    expect(amount()).toBe('8.00')
  })

  it('tells of Enter', async () => {
    const { state, input } = field()
    await input.trigger('keydown', { key: 'Enter' })
    expect(state.enters).toBe(1)
  })
})
