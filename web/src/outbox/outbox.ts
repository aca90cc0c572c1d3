/**
 * Everything a person does to expenses goes through here, so that it takes effect exactly once: each command gets its
 * idempotency key when it is made, is kept in the browser until a replica has settled it, and is sent again, with the
 * same key, for as long as none has. Reloading the page, losing the replica, or being offline for a week change
 * nothing of that.
 */
import type { CombinedError } from '@urql/core'
import { reactive, readonly, shallowReactive } from 'vue'
import type { Database } from '@/offline/database'
import { codeOf, remedy } from '@/graphql/errors'
import { newId } from './id'
import type { Answer } from './mutations'
import type { Command, Entry, StoredEntry } from './entry'

/** Most commands that wait at the same time. */
export const MAX_WAITING = 1_000
/** Most that are on their way at the same time; those of one expense go one after the other. */
const MAX_SENDING = 6
/** Settled entries are shown for a while, in milliseconds, and so many at most. */
const SHOWN_FOR = 120_000
const MAX_SETTLED = 200
/** Most keys of settled commands that are remembered. */
const MAX_DONE = 2_000
/** Wait between two attempts, in milliseconds: doubled up to the most. */
const FIRST_RETRY_WAIT = 300
const MAX_RETRY_WAIT = 10_000

/** Why nothing can be taken any more. */
export class OutboxFull extends Error {
  constructor() {
    super(`${MAX_WAITING} changes wait to be sent`)
    this.name = 'OutboxFull'
  }
}

export type Outbox = ReturnType<typeof createOutbox>

export interface OutboxOptions {
  /** Sends one command; see `send`. */
  send: (key: string, command: Command) => Promise<Answer>
  database: Promise<Database | null>
  /** Milliseconds; for tests. */
  now?: () => number
}

export function createOutbox({ send, database, now = Date.now }: OutboxOptions) {
  /** Oldest first. Settled ones stay for their badge. */
  const entries = shallowReactive<Entry[]>([])
  const state = reactive({
    /** Why the last attempt failed; null while all is well. */
    trouble: null as CombinedError | null,
  })
  const waiting = new Map<string, (entry: Entry) => void>()
  const settledListeners = new Set<(entry: Entry) => void>()
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let paused = true
  let pumping = false
  let unsettled = 0
  /** Keys that were settled here: what a page finds in the browser a moment later is not to be sent again. */
  const done = new Set<string>()

  /** Takes what an earlier visit left unsettled, and begins to send. */
  async function start() {
    await takeOver()
    paused = false
    pump()
  }

  /**
   * Takes what lies in the browser and nobody here knows: another page has left it. Where that one is still open, both
   * send it, and its key makes that harmless.
   */
  async function takeOver() {
    const left = (await (await database)?.getAll('outbox').catch(() => [])) ?? []
    const known = new Set(entries.map(({ key }) => key))
    const found = left.filter(({ key }) => !known.has(key) && !done.has(key)).sort((a, b) => a.at - b.at)
    for (const stored of found.slice(0, MAX_WAITING - unsettled)) enter(stored)
    if (found.length > 0) entries.sort((a, b) => a.at - b.at)
    pump()
  }

  /**
   * Does what the person asks for. The entry shows what becomes of it, at once and without waiting; `settled` is for
   * those who must know.
   */
  function submit(command: Command): { entry: Entry; settled: Promise<Entry> } {
    if (unsettled >= MAX_WAITING) throw new OutboxFull()
    // A copy of the plain data: forms hand over what Vue watches, which no database takes.
    const stored: StoredEntry = { key: newId(), command: JSON.parse(JSON.stringify(command)) as Command, at: now() }
    const entry = enter(stored)
    const settled = new Promise<Entry>((resolve) => waiting.set(entry.key, resolve))
    void save(stored).then(pump)
    return { entry, settled }
  }

  function enter(stored: StoredEntry): Entry {
    const entry = entryOf(stored)
    entries.push(entry)
    unsettled += 1
    return entry
  }

  /** Sends what can be sent, soon: whenever a command, an answer or a replica comes, and once for many at a time. */
  function pump() {
    if (pumping || paused) return
    pumping = true
    queueMicrotask(() => {
      pumping = false
      sendWhatCanBeSent()
    })
  }

  function sendWhatCanBeSent() {
    const busy = new Set<string>()
    let sending = 0
    for (const entry of entries) {
      if (!isWaiting(entry)) continue
      const id = entry.command.input.id
      if (entry.state === 'sending') sending += 1
      else if (!busy.has(id) && sending < MAX_SENDING && retry === undefined) {
        sending += 1
        void attempt(entry)
      }
      busy.add(id)
    }
  }

  async function attempt(entry: Entry) {
    entry.state = 'sending'
    entry.attempts += 1
    const answer = await send(entry.key, entry.command)
    if (answer.type === 'settled') {
      failures = 0
      state.trouble = null
      await settle(entry, answer)
    } else if (isFinal(answer.error)) {
      const message = answer.error.graphQLErrors[0]?.message ?? answer.error.message
      await settle(entry, { expense: null, receipt: null, errors: [{ code: 'INVALID', message, field: null }] })
    } else {
      entry.state = 'queued'
      state.trouble = answer.error
      wait()
    }
    pump()
  }

  function wait() {
    failures += 1
    clearTimeout(retry)
    const longest = Math.min(MAX_RETRY_WAIT, FIRST_RETRY_WAIT * 2 ** Math.min(failures, 10))
    retry = setTimeout(again, longest * (0.5 + Math.random() / 2))
  }

  /** Tries again now: a replica answers, or the person asks for it. */
  function again() {
    clearTimeout(retry)
    retry = undefined
    pump()
  }

  async function settle(entry: Entry, { expense, receipt, errors }: Pick<Entry, 'expense' | 'receipt' | 'errors'>) {
    unsettled -= 1
    done.add(entry.key)
    for (const oldest of done) {
      if (done.size <= MAX_DONE) break
      done.delete(oldest)
    }
    entry.expense = expense
    entry.receipt = receipt
    entry.errors = errors
    entry.state = errors.length > 0 ? 'refused' : 'stored'
    for (const listener of [...settledListeners]) listener(entry)
    waiting.get(entry.key)?.(entry)
    waiting.delete(entry.key)
    prune()
    if (entry.state === 'stored') await forget(entry.key)
  }

  /** The person has seen why it was refused, and lets it go. */
  function dismiss(key: string) {
    const index = entries.findIndex((entry) => entry.key === key && entry.state === 'refused')
    if (index >= 0) entries.splice(index, 1)
    void forget(key)
  }

  function prune() {
    const oldest = now() - SHOWN_FOR
    let surplus = entries.filter(({ state }) => state === 'stored').length - MAX_SETTLED
    for (let index = 0; index < entries.length; ) {
      const entry = entries[index]
      if (entry?.state === 'stored' && (surplus > 0 || entry.at < oldest)) {
        entries.splice(index, 1)
        surplus -= 1
      } else index += 1
    }
  }

  async function save(stored: StoredEntry) {
    try {
      await (await database)?.put('outbox', stored)
    } catch {
      // Without storage the command lives as long as the page does.
    }
  }

  async function forget(key: string) {
    try {
      await (await database)?.delete('outbox', key)
    } catch {
      // It is sent again by the next visit, and its key makes that harmless.
    }
  }

  return {
    entries: readonly(entries) as readonly Entry[],
    state: readonly(state),
    start,
    submit,
    again,
    takeOver,
    dismiss,
    /** Calls back when an entry is stored or refused; returns how to end that. */
    onSettled(listener: (entry: Entry) => void): () => void {
      settledListeners.add(listener)
      return () => settledListeners.delete(listener)
    },
  }
}

/** True until the cluster has decided. */
export function isWaiting(entry: Pick<Entry, 'state'>): boolean {
  return entry.state === 'queued' || entry.state === 'sending'
}

/** True where sending the same again can never help. */
function isFinal(error: CombinedError): boolean {
  return remedy(error) === 'never' && codeOf(error) !== 'FORBIDDEN'
}

function entryOf({ key, command, at }: StoredEntry): Entry {
  return reactive({ key, command, at, state: 'queued', attempts: 0, receipt: null, errors: [], expense: null })
}
