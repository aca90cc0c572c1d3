import { mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import type { Command, Entry } from '@/outbox/entry'
import { provided } from '@/testing/services'
import { expense } from './testing'
import { useActions } from './useActions'

const adding: Command = { kind: 'add', input: { id: 'a', description: 'Tea', amount: '1', currency: 'EUR', spentOn: '2026-11-22' } }
const changing: Command = { kind: 'update', input: { id: 'a', expectedVersion: 1, description: 'Green tea' } }

function entry(key: string, command: Command, fields: Partial<Entry> = {}): Entry {
  return { key, command, at: 0, state: 'refused', attempts: 1, receipt: null, errors: [], expense: null, ...fields }
}

function setUp(entries: Entry[]) {
  const submit = vi.fn((command: Command) => ({ entry: entry('k', command), settled: Promise.resolve(entry('k', command)) }))
  const dismiss = vi.fn((key: string) => void entries.splice(entries.findIndex((each) => each.key === key), 1))
  let actions: ReturnType<typeof useActions> | undefined
  const setup = () => {
    actions = useActions()
    return () => null
  }
  mount(defineComponent({ setup }), { global: { provide: provided({ outbox: { entries, submit, dismiss } }) } })
  if (!actions) throw new Error('not set up')
  return { actions, dismiss, submitted: () => submit.mock.calls.map(([command]) => command) }
}

it('lets go a row whose addition was refused, and deletes the others', () => {
  const { actions, dismiss, submitted } = setUp([entry('k1', adding), entry('k2', changing)])
  actions.remove([expense('b'), expense('a')])
  expect(submitted()).toEqual([{ kind: 'delete', input: { id: 'b' } }])
  expect(dismiss.mock.calls.flat()).toEqual(['k1', 'k2'])
})

it('deletes a row of which only a change was refused', () => {
  const { actions, dismiss, submitted } = setUp([entry('k2', changing)])
  actions.remove([expense('a')])
  expect(submitted()).toEqual([{ kind: 'delete', input: { id: 'a' } }])
  expect(dismiss).not.toHaveBeenCalled()
})

it('changes no row whose addition was refused', () => {
  const { actions, submitted } = setUp([entry('k1', adding)])
  actions.addTag([expense('a'), expense('b')], 'x')
  actions.setCategory([expense('a')], 'food')
  expect(submitted()).toEqual([{ kind: 'update', input: { id: 'b', expectedVersion: 1, tags: ['x'] } }])
})
