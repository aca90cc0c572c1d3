import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { today } from '@/format/date'
import DateInput from './DateInput.vue'

function field(date: string) {
  const wrapper = mount(DateInput, {
    props: { label: 'Date', modelValue: date, 'onUpdate:modelValue': (modelValue: string) => wrapper.setProps({ modelValue }) },
  })
  return { wrapper, press: (key: string, more = {}) => wrapper.get('input').trigger('keydown', { key, ...more }) }
}

describe('a date', () => {
  it('goes on and back by a day, over the ends of months', async () => {
    const { wrapper, press } = field('2024-02-28')
    await press('+')
    expect(wrapper.props('modelValue')).toBe('2024-02-29')
    await press('+')
    expect(wrapper.props('modelValue')).toBe('2024-03-01')
    await press('-')
    expect(wrapper.props('modelValue')).toBe('2024-02-29')
  })

  it('goes to today', async () => {
    vi.useFakeTimers({ now: new Date(2026, 10, 22, 12) })
    const { wrapper, press } = field('')
    await press('t')
    expect(wrapper.props('modelValue')).toBe(today())
    vi.useRealTimers()
  })

  it('stays within what the replicas take, and leaves other keys alone', async () => {
    const { wrapper, press } = field('2200-12-31')
    await press('+')
    await press('t', { ctrlKey: true })
    await press('5')
    expect(wrapper.props('modelValue')).toBe('2200-12-31')
  })
})
