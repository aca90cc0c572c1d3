/** The totals of a filter: computed in the database, and kept up to date by what the feed brings. */
import type { Client } from '@urql/core'
import { onScopeDispose, shallowRef, watch } from 'vue'
import type { Expense } from '@/feed/expense'
import { ExpenseFields } from '@/feed/fields'
import type { Batch } from '@/feed/feed'
import { readFragment } from '@/graphql/generated'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { keptAt } from '@/offline/kept-answers'
import { ExpenseTotalsQuery } from './queries'
import { totalsOf, withEffects, type Effect, type Totals } from './totals'

/** The longest that totals are only reckoned from the feed, in milliseconds, before the database is asked again. */
const SETTLE = 1_500
/** Wait before totals that could not be read are asked for again, in milliseconds: doubled up to the most. */
const FIRST_WAIT = 500
const MAX_WAIT = 30_000

export interface TotalsOptions {
  client: Client
  /** Null: there is nothing to be summed. */
  filter: () => ExpenseFilter | null
  accepts: (expense: Expense) => boolean
  keep?: boolean
}

export function useTotals({ client, filter, accepts, keep = false }: TotalsOptions) {
  const totals = shallowRef<Totals | null>(null)
  let turn = 0
  let settling: ReturnType<typeof setTimeout> | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let wait = FIRST_WAIT

  async function read() {
    const own = ++turn
    clearTimeout(retry)
    const asked = filter()
    if (!asked) return
    const result = await client.query(ExpenseTotalsQuery, { filter: asked }, { keep }).toPromise()
    if (own !== turn) return
    const { data } = result
    const old = keptAt(result) !== null
    // What is shown is no older than what was kept.
    if (data && !(old && totals.value)) totals.value = totalsOf(data.summary)
    if (data && !old) {
      wait = FIRST_WAIT
      return
    }
    retry = setTimeout(() => void read(), wait)
    wait = Math.min(MAX_WAIT, wait * 2)
  }

  function settle() {
    settling ??= setTimeout(() => {
      settling = undefined
      void read()
    }, SETTLE)
  }

  watch(
    () => JSON.stringify(filter()),
    () => {
      totals.value = null
      wait = FIRST_WAIT
      void read()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    turn += 1
    clearTimeout(settling)
    clearTimeout(retry)
  })

  return {
    totals,
    read,
    /** Reckons with those changes at once. An answer that is on its way may have them or not: it is asked for again. */
    apply(batches: readonly Batch[]) {
      if (!filter()) return
      if (totals.value) totals.value = withEffects(totals.value, batches.flatMap((batch) => effectsOf(batch, accepts)))
      settle()
    },
  }
}

/** What a batch does to a list. */
export function effectsOf(batch: Batch, accepts: (expense: Expense) => boolean): Effect[] {
  const effects: Effect[] = []
  for (const change of batch.changes) {
    const [before, after] = sidesOf(change)
    effects.push({ before: before && accepts(before) ? before : null, after: after && accepts(after) ? after : null })
  }
  return effects.filter(({ before, after }) => before || after)
}

function sidesOf(change: Batch['changes'][number]): [Expense | null, Expense | null] {
  switch (change.__typename) {
    case 'ExpenseAdded':
      return [null, readFragment(ExpenseFields, change.expense)]
    case 'ExpenseUpdated':
      return [readFragment(ExpenseFields, change.before), readFragment(ExpenseFields, change.expense)]
    case 'ExpenseDeleted': {
      const expense = readFragment(ExpenseFields, change.expense)
      return [{ ...expense, deletedAt: null }, expense]
    }
    case 'ExpenseRestored': {
      const expense = readFragment(ExpenseFields, change.expense)
      return [{ ...expense, deletedAt: expense.updatedAt }, expense]
    }
    default:
      return [null, null]
  }
}
