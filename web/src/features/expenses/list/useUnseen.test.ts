import { mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { defineComponent, nextTick, reactive, shallowRef } from 'vue'
import { shownToasts } from '@/components/toasts'
import type { Expense } from '@/feed/expense'
import type { Command, Entry } from '@/outbox/entry'
import { provided } from '@/testing/services'
import { layoutOf } from './layout'
import { expense } from './testing'
import type { ExpenseList, View } from './useExpenseList'
import { useUnseen } from './useUnseen'

function entry(key: string, command: Command, code = 'INVALID'): Entry {
  const errors = [{ code, message: `no ${key}`, field: null }] as unknown as Entry['errors']
  return { key, command, at: 0, state: 'refused', attempts: 1, receipt: null, errors, expense: null }
}

const deletion = (id: string): Command => ({ kind: 'delete', input: { id } })
const edit = (id: string): Command => ({ kind: 'update', input: { id, description: 'Tea' } })

function setUp(entries: Entry[]) {
  const viewOf = (rows: readonly Expense[]): View => ({ rows, layout: layoutOf(rows), marks: new Map(), effects: [] })
  const view = shallowRef(viewOf([]))
  const state = reactive({ status: 'loading' })
  const find = (id: string) => view.value.rows.find((row) => row.id === id) ?? null
  const list = { view, state, find, indexOf: () => -1 } as unknown as ExpenseList
  let settle: (entry: Entry) => void = () => undefined
  const outbox = {
    entries,
    dismiss: vi.fn((key: string) => void entries.splice(entries.findIndex((each) => each.key === key), 1)),
    onSettled(listener: (entry: Entry) => void) {
      settle = listener
      return () => true
    },
  }
  const setup = () => {
    useUnseen(list, vi.fn())
    return () => null
  }
  mount(defineComponent({ setup }), { global: { provide: provided({ outbox }) } })
  return {
    dismissed: () => outbox.dismiss.mock.calls.flat(),
    settle(settled: Entry) {
      entries.push(settled)
      settle(settled)
    },
    async show(...ids: string[]) {
      state.status = 'ready'
      view.value = viewOf(ids.map((id) => expense(id)))
      await nextTick()
    },
  }
}

it('tells what was refused while no list was there, unless a row or a dialog does', async () => {
  const { show, dismissed } = setUp([entry('k1', deletion('a')), entry('k2', edit('b')), entry('k3', edit('c'), 'VERSION_CONFLICT')])
  await nextTick()
  expect(dismissed()).toEqual([])
  await show('b')
  expect(dismissed()).toEqual(['k1'])
  expect(shownToasts.at(-1)?.text).toBe('no k1')
})

it('leaves a row what it tells when a filter hides it', async () => {
  const { show, dismissed } = setUp([entry('k2', edit('b'))])
  await show('b')
  await show()
  expect(dismissed()).toEqual([])
})

it('tells what is refused when no row shows it', async () => {
  const { show, settle, dismissed } = setUp([])
  await show('b')
  settle(entry('k1', deletion('a')))
  settle(entry('k2', edit('b')))
  await show('b')
  expect(dismissed()).toEqual(['k1'])
})
