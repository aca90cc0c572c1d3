/** Which row has the keyboard: one at a time, wherever it moves and whatever comes in around it. */
import { computed, nextTick, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { Expense } from '@/feed/expense'
import { lineOf } from './layout'
import { indexOf } from './loaded'
import type { View } from './useExpenseList'

export type RowFocus = ReturnType<typeof useRowFocus>

export function useRowFocus(view: Readonly<ShallowRef<View>>, grid: Ref<HTMLElement | null>, scrollTo: (line: number) => void) {
  const active = shallowRef<Expense | null>(null)
  let index = 0

  /** Gives a row the keyboard without moving the focus. */
  function activate(row: Expense) {
    active.value = row
    index = indexOf(view.value.rows, row)
  }

  async function focus(to: number) {
    const { rows, layout } = view.value
    const row = rows[Math.min(Math.max(0, to), rows.length - 1)]
    if (!row) return
    activate(row)
    scrollTo(lineOf(layout, index))
    await nextTick()
    element(row.id)?.focus({ preventScroll: true })
  }

  function element(id: string): HTMLElement | null {
    return grid.value?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null
  }

  watch(view, ({ rows }) => {
    const before = active.value
    if (!before) return
    let now = indexOf(rows, before)
    // It may have moved to another day.
    if (now < 0) now = rows.findIndex(({ id }) => id === before.id)
    const had = grid.value?.contains(document.activeElement) ?? false
    const gone = now < 0
    if (gone) now = Math.min(index, rows.length - 1)
    index = now
    active.value = rows[now] ?? null
    // The next row takes the place of one that is gone.
    if (gone && had && document.activeElement?.getAttribute('data-id') === before.id) void focus(now)
  })

  return {
    active,
    activate,
    line: computed(() => (active.value ? lineOf(view.value.layout, indexOf(view.value.rows, active.value)) : -1)),
    focus,
    /** Moves by that many rows; to the first where there was none. */
    move: (by: number) => focus(active.value ? index + by : 0),
    first: () => focus(0),
    last: () => focus(view.value.rows.length - 1),
    /** Back to the row, after something else had the focus. */
    back: () => (active.value ? focus(index) : Promise.resolve()),
  }
}
