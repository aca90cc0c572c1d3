/** One import from the first category to the last row, with what has come of it; and its undoing. */
import { reactive, readonly, shallowReactive } from 'vue'
import { newId } from '@/outbox/id'
import { fold } from '@/format/fold'
import type { Fault, Row } from '../parse/rows'
import { createCategories } from './categories'
import { chunksOf } from './chunks'
import type { Keys } from './keys'
import { NoAnswer, type Operations, type Outcome } from './operations'
import { Cancelled, createPatience, eachOf, isHopeless, type Patience } from './patience'
import { inputOf, sendChunk } from './send'

/** Most mutations of single expenses that are on their way at the same time. */
const AT_ONCE = 6

export interface Plan {
  keys: Keys
  ledgerId: string
  rows: readonly Row[]
  /** Rows whose expenses are in the trash, and shall come back as the file has them. */
  restore: readonly Row[]
  /** Rows that are left out because they are there. */
  there: number
  /** Ids of categories by folded name, as far as the person has chosen them. */
  categoryIds: ReadonlyMap<string, string>
  /** Names of categories to add, by folded name. */
  create: ReadonlyMap<string, string>
  /** Ids of expenses that an earlier run of the same file has added: they are undone with this one's. */
  addedBefore?: readonly string[]
  /** How the row stands in the file. */
  fieldsOf: (row: Row) => readonly string[]
}

/** `failed`: something went wrong that no repetition mends. */
export type Phase = 'adding' | 'added' | 'cancelled' | 'failed' | 'undoing' | 'undone'

export type Run = ReturnType<typeof createRun>

export function createRun(plan: Plan, operations: Operations, now: () => number = () => performance.now()) {
  const id = newId()
  const began = now()
  const state = reactive({
    phase: 'adding' as Phase,
    /** Rows that are to be settled, and rows that are. */
    total: plan.rows.length + plan.restore.length,
    settled: 0,
    added: 0,
    restored: 0,
    there: plan.there,
    /** Milliseconds since the beginning. */
    elapsed: 0,
    failure: null as string | null,
    undone: 0,
  })
  const refused: Fault[] = reactive([])
  /** Ids of the expenses that this import has added, in all its runs. */
  const addedIds: string[] = [...(plan.addedBefore ?? [])]
  const patience = shallowReactive({ current: createPatience() as Patience })

  function settle(count: number) {
    state.settled += count
    state.elapsed = now() - began
  }

  function refuse(row: Row, reason: string) {
    refused.push({ number: row.number, line: row.line, code: 'refused', text: reason, fields: plan.fieldsOf(row) })
    settle(1)
  }

  async function start() {
    await end('added', async () => {
      const categoryIds = await resolveCategories()
      const sender = {
        operations,
        patience: patience.current,
        keys: plan.keys,
        ledgerId: plan.ledgerId,
        categoryIds,
        tally: {
          added(rows: Row[]) {
            for (const { number } of rows) addedIds.push(plan.keys.expense(number))
            state.added += rows.length
            settle(rows.length)
          },
          there(rows: Row[]) {
            state.there += rows.length
            settle(rows.length)
          },
          refused: refuse,
        },
      }
      for (const chunk of chunksOf(plan.rows)) await sendChunk(sender, chunk)
      await eachOf(plan.restore, AT_ONCE, (row) => restore(row, inputOf(row, sender)))
    })
  }

  async function resolveCategories(): Promise<Map<string, string>> {
    const chosen = new Map(plan.categoryIds)
    if (plan.create.size === 0) return chosen
    const resolver = { operations, patience: patience.current, keys: plan.keys, ledgerId: plan.ledgerId }
    const known = await createCategories(resolver, plan.create)
    for (const folded of plan.create.keys()) {
      const found = known.get(folded)
      if (found) chosen.set(folded, found)
    }
    return chosen
  }

  async function restore(row: Row, input: ReturnType<typeof inputOf>) {
    const key = (step: string) => plan.keys.step(id, step, input.id)
    const { insist } = patience.current
    const restored = await insist(() => operations.restoreExpense(key('restore'), input.id))
    const [fault] = restored.errors
    if (fault) return refuse(row, fault.message)
    const updated = await insist(() => operations.updateExpense({ ...input, idempotencyKey: key('update') }))
    addedIds.push(input.id)
    if (updated.errors[0]) return refuse(row, updated.errors[0].message)
    state.restored += 1
    settle(1)
  }

  /** Deletes what this import has added, and nothing else. What is gone already is as it should be. */
  async function undo() {
    patience.current = createPatience()
    state.phase = 'undoing'
    state.failure = null
    await end('undone', async () => {
      // Where an undoing was cut short, the next begins anew: a key that is known gets its first answer.
      state.undone = 0
      await eachOf(addedIds, AT_ONCE, async (expenseId) => {
        const key = plan.keys.step(id, 'delete', expenseId)
        const outcome = await patience.current.insist<Outcome>(() => operations.deleteExpense(key, expenseId))
        const fault = outcome.errors.find(({ code }) => code !== 'NOT_FOUND')
        if (fault) state.failure = fault.message
        else state.undone += 1
      })
    })
  }

  async function end(phase: Phase, work: () => Promise<void>) {
    try {
      await work()
      state.phase = phase
    } catch (error) {
      if (!(error instanceof Cancelled) && !(error instanceof NoAnswer && isHopeless(error))) throw error
      if (error instanceof NoAnswer) state.failure = error.message
      state.phase = error instanceof Cancelled ? (phase === 'undone' ? 'added' : 'cancelled') : 'failed'
    }
    state.elapsed = now() - began
  }

  return {
    state: readonly(state),
    refused: readonly(refused) as readonly Fault[],
    /** Why it stands still; null while it goes on. */
    trouble: () => patience.current.state.trouble,
    start,
    undo,
    again: () => patience.current.goOn(),
    cancel: () => patience.current.cancel(),
    addedCount: () => addedIds.length,
    addedIds: (): readonly string[] => addedIds,
  }
}

/** The categories that rows name, by folded name, each as it is written first, with the number of rows. */
export function namedCategories(rows: readonly Row[]): Map<string, { name: string; count: number }> {
  const found = new Map<string, { name: string; count: number }>()
  /** The same text is folded once. */
  const folded = new Map<string, string>()
  for (const { category } of rows) {
    if (!category) continue
    let key = folded.get(category)
    if (key === undefined) folded.set(category, (key = fold(category)))
    const known = found.get(key)
    if (known) known.count += 1
    else found.set(key, { name: category, count: 1 })
  }
  return found
}
