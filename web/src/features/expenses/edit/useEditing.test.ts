import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { shownToasts } from '@/components/toasts'
import type { Command, Entry } from '@/outbox/entry'
import { answering } from '@/testing/client'
import { provided } from '@/testing/services'
import { expense } from '../list/testing'
import { useEditing, type EditingOptions } from './useEditing'

const refused = { state: 'refused', errors: [{ code: 'INVALID', message: 'no', field: null }] } as const
const adding: Command = { kind: 'add', input: { id: 'a', description: 'Tea', amount: '1', currency: 'EUR', spentOn: '2026-11-22' } }

const theirs = expense('b', { description: 'Theirs', version: 4 })

function entry(key: string, command: Command, fields: Partial<Entry> = {}): Entry {
  return { key, command, at: 0, state: 'queued', attempts: 0, receipt: null, errors: [], expense: null, ...fields }
}

function setUp(entries: Entry[], options: Partial<EditingOptions> = {}) {
  const add = vi.fn(() => true)
  const update = vi.fn(() => true)
  const dismiss = vi.fn()
  const outbox = { entries, dismiss, onSettled: () => () => true }
  let edits: ReturnType<typeof useEditing> | undefined
  const setup = () => {
    edits = useEditing({ add, update, restore: vi.fn(), current: () => null, ...options })
    return () => null
  }
  mount(defineComponent({ setup }), { global: { provide: provided({ client: answering({ ExpenseNow: () => ({ expense: theirs }) }), outbox }) } })
  if (!edits) throw new Error('not set up')
  return { edits, add, update, dismiss }
}

describe('an edit of what was refused', () => {
  const row = expense('a', { description: 'Tea' })

  it('adds it again, with what was changed meanwhile', () => {
    const changing: Command = { kind: 'update', input: { id: 'a', expectedVersion: 1, description: 'Green tea' } }
    const first = entry('k1', adding, refused)
    const { edits, add, update, dismiss } = setUp([first, entry('k2', changing, refused)])
    edits.start(row, first)
    expect(edits.editing.value?.draft.description).toBe('Green tea')
    expect(edits.save()).toBe(true)
    expect(add).toHaveBeenCalledExactlyOnceWith('a', expect.objectContaining({ description: 'Green tea' }))
    expect(update).not.toHaveBeenCalled()
    expect(new Set(dismiss.mock.calls.flat())).toEqual(new Set(['k1', 'k2']))
  })

  it('is not compared with anything: there is nothing, but it is not lost', async () => {
    const changing: Command = { kind: 'update', input: { id: 'a', expectedVersion: 1, description: 'Green tea' } }
    const second = entry('k2', changing, { state: 'refused', errors: [{ code: 'NOT_FOUND', message: 'no', field: null }] })
    const { edits, dismiss } = setUp([entry('k1', adding, refused), second])
    await edits.compare(second)
    expect(dismiss).not.toHaveBeenCalled()
  })

  it('keeps what is typed where it is begun twice', () => {
    const first = entry('k1', adding, refused)
    const { edits } = setUp([first])
    edits.start(row, first)
    Object.assign(edits.editing.value?.draft ?? {}, { description: 'Coffee' })
    expect(edits.start(row, first)).toBe(true)
    expect(edits.editing.value?.draft.description).toBe('Coffee')
  })

  it('adds it again also where it was refused while it was edited', () => {
    const entries = [entry('k1', adding)]
    const { edits, add, update } = setUp(entries)
    edits.start(row)
    Object.assign(edits.editing.value?.draft ?? {}, { description: 'Coffee' })
    entries[0] = entry('k1', adding, refused)
    edits.save()
    expect([add.mock.calls.length, update.mock.calls.length]).toEqual([1, 0])
  })
})

describe('a conflict that no row tells of', () => {
  const changing: Command = { kind: 'update', input: { id: 'b', expectedVersion: 1, description: 'Mine' } }
  const errors = [{ code: 'VERSION_CONFLICT', message: 'no', field: null }] as const

  it('is told apart from the list, and compared from there', async () => {
    const met = entry('k1', changing, { state: 'refused', errors })
    const { edits } = setUp([met], { untold: () => [met] })
    shownToasts.at(-1)?.action?.run()
    await flushPromises()
    expect(edits.conflict.value).toMatchObject({ theirs: { version: 4 }, key: 'k1' })
  })
})
