/** A list of expenses as it is shown: what the replicas have, with what the person did laid over it. */
import { computed, onScopeDispose, shallowRef, toRaw, watch } from 'vue'
import { useCategories } from '@/feed/categories'
import type { Expense } from '@/feed/expense'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import type { Entry } from '@/outbox/entry'
import { useServices } from '@/services'
import { layoutOf, type Day, type Layout } from './layout'
import { indexOf, type Terms } from './loaded'
import { NO_MARKS, overlay } from './overlay'
import { totalsBetween, withEffects, type Effect, type Totals } from './totals'
import { useFlash } from './useFlash'
import { usePages } from './usePages'
import { useTotals } from './useTotals'

export interface View {
  readonly rows: readonly Expense[]
  readonly layout: Layout
  /** What the person did to the rows lately, by id. */
  readonly marks: ReadonlyMap<string, Entry>
  readonly effects: readonly Effect[]
}

const EMPTY: View = { rows: [], layout: layoutOf([]), marks: NO_MARKS, effects: [] }

export type ExpenseList = ReturnType<typeof useExpenseList>

/** `filter` is null as long as it is not known what is asked for. */
export function useExpenseList(
  filter: () => ExpenseFilter | null,
  matches: (filter: ExpenseFilter, expense: Expense) => boolean,
) {
  const { client, feed, outbox, endpoints } = useServices()
  const { byId } = useCategories()
  const flash = useFlash()
  const accepts = (expense: Expense) => matches(filter() ?? {}, expense)
  const terms = (): Terms => ({ accepts, byCategory: dependsOnCategory(filter() ?? {}), category: (id) => byId.value.get(id) ?? null })

  const totals = useTotals({ client, filter, accepts, keep: true })
  const pages = usePages({
    client,
    feed,
    filter,
    terms,
    onChanges(batches, touched) {
      totals.apply(batches)
      cut.apply(batches)
      flash.show([...touched].filter((id) => !view.value.marks.has(id)))
    },
    onReread() {
      void totals.read()
      void cut.read()
    },
  })
  /** The last day, as long as a page's border may go through it. */
  const cutDay = computed(() => pages.loaded.value?.end?.spentOn ?? null)
  const cutFilter = () => (cutDay.value ? { ...filter(), spentFrom: cutDay.value, spentTo: cutDay.value } : null)
  const cut = useTotals({ client, filter: cutFilter, accepts: (expense) => expense.spentOn === cutDay.value && accepts(expense) })

  const view = shallowRef<View>(EMPTY)
  let frame = 0
  function build() {
    cancelAnimationFrame(frame)
    frame = 0
    const loaded = pages.loaded.value
    if (!loaded) {
      view.value = EMPTY
      return
    }
    // Reckoned without reactivity, which a long list could not bear; shown with it, so that badges turn.
    const { rows, marks, effects } = overlay(loaded, outbox.entries.map((entry) => toRaw(entry)), terms())
    const layout = rows === view.value.rows ? view.value.layout : layoutOf(rows)
    view.value = { rows, layout, marks: live(marks, outbox.entries), effects }
    sums = new Map()
  }
  watch(pages.loaded, build, { flush: 'sync' })
  // Hundreds of entries may settle one after the other.
  watch(
    () => outbox.entries.map(({ key, state }) => key + state).join(),
    () => (frame ||= requestAnimationFrame(build)),
  )
  watch(byId, build)
  // What was kept from an earlier visit is replaced as soon as a replica answers.
  watch(
    () => endpoints.state.reachability,
    (reachability) => {
      if (reachability !== 'online' || (pages.state.keptAt === null && pages.state.status !== 'failed')) return
      pages.again()
      void totals.read()
    },
  )
  onScopeDispose(() => cancelAnimationFrame(frame))

  /** Totals of days that have been shown, until the rows change. */
  let sums = new Map<string, Totals>()
  function dayTotals(day: Day): Totals | null {
    const { rows, marks, effects } = view.value
    if (day.date === cutDay.value) {
      const onDay = effects.map(({ before, after }) => ({
        before: before?.spentOn === day.date ? before : null,
        after: after?.spentOn === day.date ? after : null,
      }))
      return cut.totals.value && withEffects(cut.totals.value, onDay)
    }
    let sum = sums.get(day.date)
    if (!sum) {
      const refused = rows
        .slice(day.start, day.end)
        .filter(({ id, version }) => version === 1 && marks.get(id)?.command.kind === 'add' && marks.get(id)?.state === 'refused')
      sum = withEffects(
        totalsBetween(rows, day.start, day.end),
        refused.map((before) => ({ before, after: null })),
      )
      sums.set(day.date, sum)
    }
    return sum
  }

  return {
    view,
    state: pages.state,
    /** Of all that the filter lets through, loaded or not; null until known. */
    totals: computed(() => totals.totals.value && withEffects(totals.totals.value, view.value.effects)),
    dayTotals,
    /** Rows that somebody else has just changed. */
    flashing: flash.ids,
    /** True where every row is loaded. */
    complete: computed(() => pages.loaded.value?.end === null),
    more: pages.more,
    again: pages.again,
    /** Keys of conflicts that the person was told of apart from their rows, so that each is told once. */
    toldConflicts: new Set<string>(),
    /** Where a row is, or -1. */
    indexOf: (expense: Pick<Expense, 'id' | 'spentOn'>) => indexOf(view.value.rows, expense),
    find(id: string): Expense | null {
      return view.value.rows.find((row) => row.id === id) ?? null
    },
  }
}

function live(marks: ReadonlyMap<string, Entry>, entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  if (marks.size === 0) return marks
  return new Map(entries.map((entry) => [entry.command.input.id, entry]))
}

function dependsOnCategory(filter: ExpenseFilter): boolean {
  const { categoryIds, uncategorised, and, or, not } = filter
  if (categoryIds?.length || typeof uncategorised === 'boolean') return true
  return [...(and ?? []), ...(or ?? []), ...(not ? [not] : [])].some(dependsOnCategory)
}
