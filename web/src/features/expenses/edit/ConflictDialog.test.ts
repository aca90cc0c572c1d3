import { mount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { expense } from '../list/testing'
import ConflictDialog from './ConflictDialog.vue'

const theirs = expense('a', { amount: '20.00', description: 'Theirs', version: 7 })
const conflict = { input: { id: 'a', expectedVersion: 5, description: 'Mine', amount: '15.00' }, theirs, key: 'k' }

afterEach(() => document.body.replaceChildren())

async function show(fields = conflict) {
  const wrapper = mount(ConflictDialog, { props: { conflict: fields, category: () => null }, attachTo: document.body })
  await nextTick()
  return wrapper
}

function button(name: string): HTMLButtonElement {
  const found = [...document.body.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === name)
  if (!found) throw new Error(`no button ${name}`)
  return found
}

it('offers both versions of every field that differs', async () => {
  await show()
  const choices = [...document.body.querySelectorAll('input[type="radio"]')].map((input) => input.getAttribute('aria-label'))
  expect(choices).toEqual([
    'Description, Yours: Mine',
    'Description, Theirs: Theirs',
    'Amount, Yours: €15.00',
    'Amount, Theirs: €20.00',
  ])
})

it('saves what was chosen on the newest version', async () => {
  const wrapper = await show()
  document.body.querySelector<HTMLInputElement>('input[value="theirs"]')?.click()
  await nextTick()
  button('Save').click()
  expect(wrapper.emitted('resolve')).toEqual([[{ id: 'a', expectedVersion: 7, amount: '15.00' }]])
})

it('takes all of theirs', async () => {
  const wrapper = await show()
  button('Take all of theirs').click()
  await nextTick()
  button('Save').click()
  expect(wrapper.emitted('resolve')).toEqual([[null]])
})

it('says that the other has deleted it', async () => {
  await show({ ...conflict, theirs: { ...theirs, deletedAt: '2026-11-22T10:00:00Z' } })
  expect(document.body.textContent).toContain('Saving restores it')
})
