/** The rows that a person has picked to do the same to all of them. */
import { computed, shallowRef, watch, type ShallowRef } from 'vue'
import type { Expense } from '@/feed/expense'
import type { View } from './useExpenseList'
import { totalsBetween } from './totals'

/** Most at once: the outbox holds twice as many changes. */
export const MAX_SELECTED = 500

export type Selection = ReturnType<typeof useSelection>

/** `onBound` is told when more was asked for than may be selected. */
export function useSelection(view: Readonly<ShallowRef<View>>, onBound: () => void) {
  const picked = shallowRef<ReadonlyMap<string, Expense>>(new Map())
  /** Where a range begins: the row that was picked last. */
  let anchor: string | null = null

  // Rows that are gone are no longer picked, and others are as they are now.
  // At once: while another filter is read there are none, and what it brings must not be picked by an earlier choice.
  watch(
    view,
    ({ rows }) => {
      if (rows.length === 0) clear()
      if (picked.value.size === 0) return
      picked.value = new Map(rows.filter(({ id }) => picked.value.has(id)).map((row) => [row.id, row]))
    },
    { flush: 'sync' },
  )

  function clear() {
    picked.value = new Map()
    anchor = null
  }

  function set(next: Map<string, Expense>) {
    if (next.size > MAX_SELECTED) {
      next = new Map([...next].slice(0, MAX_SELECTED))
      onBound()
    }
    picked.value = next
  }

  return {
    picked,
    size: computed(() => picked.value.size),
    totals: computed(() => totalsBetween([...picked.value.values()], 0, picked.value.size)),
    has: (id: string) => picked.value.has(id),
    toggle(row: Expense) {
      const next = new Map(picked.value)
      if (!next.delete(row.id)) next.set(row.id, row)
      anchor = row.id
      set(next)
    },
    /** Picks everything from the row that was picked last up to this one. */
    extendTo(row: Expense) {
      const { rows } = view.value
      const to = rows.findIndex(({ id }) => id === row.id)
      const from = anchor === null ? to : rows.findIndex(({ id }) => id === anchor)
      if (to < 0) return
      const [start, end] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)]
      set(new Map([...picked.value, ...rows.slice(start, end + 1).map((each) => [each.id, each] as const)]))
    },
    all() {
      set(new Map(view.value.rows.slice(0, MAX_SELECTED + 1).map((row) => [row.id, row])))
    },
    clear,
  }
}
