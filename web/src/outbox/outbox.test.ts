import { CombinedError } from '@urql/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase, type Database } from '@/offline/database'
import { reactive } from 'vue'
import type { Command } from './entry'
import type { Answer } from './mutations'
import { createOutbox, MAX_WAITING, OutboxFull } from './outbox'

let count = 0
let name = ''

function add(id: string): Command {
  return { kind: 'add', input: { id, description: 'Coffee', amount: '3.20', currency: 'EUR', spentOn: '2026-11-22' } }
}

function stored(revision = '7'): Answer {
  const receipt = { revision, term: '1', replayed: false, acknowledgedBy: [], pending: [] }
  return { type: 'settled', expense: null, receipt, errors: [] }
}

const unreachable: Answer = { type: 'failed', error: new CombinedError({ networkError: new Error('refused') }) }

function failed(code: string): Answer {
  return { type: 'failed', error: new CombinedError({ graphQLErrors: [{ message: code, extensions: { code } }] }) }
}

async function kept(database: Database | null): Promise<string[]> {
  return ((await database?.getAll('outbox')) ?? []).map(({ key }) => key)
}

beforeEach(() => {
  count += 1
  name = `outbox-${count}`
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => vi.useRealTimers())

describe('the outbox', () => {
  it('sends a command once and forgets it when it is stored', async () => {
    const database = openDatabase(name)
    const send = vi.fn(async () => stored('12'))
    const outbox = createOutbox({ send, database })
    await outbox.start()
    const { entry, settled } = outbox.submit(add('a'))
    expect(entry.state).toBe('queued')
    expect((await settled).receipt?.revision).toBe('12')
    expect(entry.state).toBe('stored')
    expect(send).toHaveBeenCalledExactlyOnceWith(entry.key, entry.command)
    await vi.waitFor(async () => expect(await kept(await database)).toEqual([]))
  })

  it('sends again with the same key until a replica has settled it', async () => {
    const answers = [unreachable, failed('NO_LEADER'), failed('TIMEOUT'), failed('NOT_ENOUGH_REPLICAS'), stored()]
    const send = vi.fn(async (_key: string, _command: Command) => answers.shift() ?? stored())
    const outbox = createOutbox({ send, database: openDatabase(name) })
    await outbox.start()
    const { entry, settled } = outbox.submit(add('a'))
    await vi.waitFor(() => expect(outbox.state.trouble).not.toBeNull())
    for (let round = 0; round < 4; round += 1) await vi.advanceTimersByTimeAsync(20_000)
    await settled
    expect(send).toHaveBeenCalledTimes(5)
    expect(new Set(send.mock.calls.map(([key]) => key))).toEqual(new Set([entry.key]))
    expect(outbox.state.trouble).toBeNull()
  })

  it('is still there after the page was closed, in the order of the person', async () => {
    const first = createOutbox({ send: async () => unreachable, database: openDatabase(name) })
    await first.start()
    const keys = [first.submit(add('a')), first.submit(add('b'))].map(({ entry }) => entry.key)
    await vi.waitFor(async () => expect(await kept(await openDatabase(name))).toHaveLength(2))

    const send = vi.fn(async (_key: string, _command: Command) => stored())
    const second = createOutbox({ send, database: openDatabase(name) })
    await second.start()
    await vi.waitFor(() => expect(second.entries.map(({ state }) => state)).toEqual(['stored', 'stored']))
    expect(send.mock.calls.map(([key]) => key)).toEqual(keys)
  })

  it('takes over what another page of this browser has left, and nothing that it has settled itself', async () => {
    const send = vi.fn(async (_key: string, _command: Command) => stored())
    const outbox = createOutbox({ send, database: openDatabase(name) })
    await outbox.start()
    const other = createOutbox({ send: async () => unreachable, database: openDatabase(name) })
    await other.start()
    const { entry } = other.submit(add('a'))
    await vi.waitFor(async () => expect(await kept(await openDatabase(name))).toHaveLength(1))
    await outbox.takeOver()
    await vi.waitFor(() => expect(outbox.entries.map(({ key, state }) => [key, state])).toEqual([[entry.key, 'stored']]))

    const database = await openDatabase(name)
    await database?.put('outbox', { key: entry.key, command: add('a'), at: entry.at })
    await outbox.takeOver()
    expect(send).toHaveBeenCalledTimes(1)
  })

  it('takes what a form watches, and keeps a copy', async () => {
    const command = reactive<Command>({ kind: 'update', input: { id: 'a', tags: ['trip'] } })
    const outbox = createOutbox({ send: async () => unreachable, database: openDatabase(name) })
    const { entry } = outbox.submit(command)
    if (command.kind === 'update') command.input.tags = []
    expect(entry.command.input).toEqual({ id: 'a', tags: ['trip'] })
    await vi.waitFor(async () => expect(await kept(await openDatabase(name))).toEqual([entry.key]))
  })

  it('does what concerns one expense one after the other', async () => {
    let release: (answer: Answer) => void = () => undefined
    const send = vi.fn((_key: string, _command: Command) => new Promise<Answer>((resolve) => (release = resolve)))
    const outbox = createOutbox({ send, database: openDatabase(name) })
    await outbox.start()
    outbox.submit(add('a'))
    const later = outbox.submit({ kind: 'update', input: { id: 'a', description: 'Tea' } })
    await vi.waitFor(() => expect(send).toHaveBeenCalled())
    await vi.advanceTimersByTimeAsync(100)
    expect(send).toHaveBeenCalledTimes(1)
    expect(later.entry.state).toBe('queued')
    release(stored())
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2))
  })

  it('keeps what the cluster refused, with the reason, until the person lets it go', async () => {
    const errors = [{ code: 'VERSION_CONFLICT' as const, message: 'it has moved on', field: null }]
    const database = openDatabase(name)
    const send = async (): Promise<Answer> => ({ type: 'settled', expense: null, receipt: null, errors })
    const outbox = createOutbox({ send, database })
    await outbox.start()
    const { entry, settled } = outbox.submit(add('a'))
    expect((await settled).errors).toEqual(errors)
    expect(await kept(await database)).toEqual([entry.key])
    outbox.dismiss(entry.key)
    expect(outbox.entries).toHaveLength(0)
    await vi.waitFor(async () => expect(await kept(await database)).toEqual([]))
  })

  it('does not send again what can never be taken', async () => {
    const send = vi.fn(async () => failed('BAD_USER_INPUT'))
    const outbox = createOutbox({ send, database: openDatabase(name) })
    await outbox.start()
    const entry = await outbox.submit(add('a')).settled
    await vi.advanceTimersByTimeAsync(60_000)
    expect(entry.state).toBe('refused')
    expect(send).toHaveBeenCalledTimes(1)
  })

  it('works without storage, and is bounded', async () => {
    const outbox = createOutbox({ send: async () => unreachable, database: Promise.resolve(null) })
    await outbox.start()
    for (let index = 0; index < MAX_WAITING; index += 1) outbox.submit(add(`id-${index}`))
    expect(() => outbox.submit(add('one more'))).toThrow(OutboxFull)
  })
})
