/** Which lines of the list are in the document: those in the window, the head of the day on top, and the focused one. */
import { defaultRangeExtractor, useWindowVirtualizer, type Range } from '@tanstack/vue-virtual'
import { computed, onMounted, onScopeDispose, ref, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { dayOf, lineAt, lineOf, type Line } from './layout'
import { indexOf } from './loaded'
import type { View } from './useExpenseList'
import type { Sizes } from './useSizes'

/** Lines beyond the window, so that scrolling shows no holes. */
const OVERSCAN = 8
export interface LinesOptions {
  sizes: Sizes
  view: Readonly<ShallowRef<View>>
  container: Ref<HTMLElement | null>
  /** Lines that are higher than others, in pixels. */
  higher: ComputedRef<ReadonlyMap<number, number>>
  /** Lines that stay in the document wherever the window is: the one with the focus, the one that is edited. */
  kept: ComputedRef<readonly number[]>
}

/** `id` is the row's, or the date of the day. */
export type ShownLine = Line & { id: string; top: number; height: number; line: number }

export function useLines({ sizes, view, container, higher, kept }: LinesOptions) {
  const { narrow, rem, rowHeight, dayHeight } = sizes
  const margin = ref(0)
  const stuck = ref(0)

  // A new function means new places: the virtualizer asks for all sizes again.
  const key = computed(() => {
    void [view.value.layout, higher.value, rowHeight.value]
    return (line: number) => line
  })
  const virtualizer = useWindowVirtualizer<HTMLElement>(
    computed(() => {
      const { layout } = view.value
      const others = higher.value
      const [row, day] = [rowHeight.value, dayHeight.value]
      const keptLines = kept.value
      return {
        count: layout.count,
        estimateSize: (line: number) => ((layout.lines[line] ?? 0) < 0 ? day : (others.get(line) ?? row)),
        getItemKey: key.value,
        overscan: OVERSCAN,
        scrollMargin: margin.value,
        scrollPaddingStart: day + 8,
        scrollPaddingEnd: narrow.value ? 7 * rem.value : 4 * rem.value,
        rangeExtractor(range: Range) {
          const first = lineAt(layout, range.startIndex)
          stuck.value = first?.kind === 'row' ? (dayOf(layout, first.row)?.line ?? 0) : range.startIndex
          const lines = new Set([stuck.value, ...defaultRangeExtractor(range)])
          for (const line of keptLines) if (line >= 0 && line < layout.count) lines.add(line)
          return [...lines].sort((a, b) => a - b)
        },
      }
    }),
  )

  // An element a row, not elements used again in turn: those would have to be moved, and a moved one loses the focus.
  const shown = computed<ShownLine[]>(() => {
    const { layout, rows } = view.value
    return virtualizer.value.getVirtualItems().flatMap(({ index, start, size }) => {
      const line = lineAt(layout, index)
      if (!line) return []
      const id = line.kind === 'day' ? line.day.date : (rows[line.row]?.id ?? '')
      return [{ ...line, id, top: start - margin.value, height: size, line: index }]
    })
  })

  // What comes in above the window moves nothing in it.
  let anchor: { spentOn: string; id: string; below: number } | null = null
  let settled = true
  watch(
    view,
    (_, before) => {
      // Of several changes before the next picture, the first knows what the person sees.
      if (!settled) return
      settled = false
      anchor = null
      const top = window.scrollY
      // Whoever looks at the beginning wants to see what comes in there.
      if (top <= margin.value) return
      const item = virtualizer.value.getVirtualItemForOffset(top + dayHeight.value)
      const line = item && lineAt(before.layout, item.index)
      if (!line) return
      const row = line.kind === 'row' ? before.rows[line.row] : before.rows[line.day.start]
      const head = line.kind === 'day' ? item.size : 0
      if (row) anchor = { spentOn: row.spentOn, id: row.id, below: item.start + head - top }
    },
    { flush: 'sync' },
  )
  watch(
    view,
    ({ rows, layout }) => {
      settled = true
      if (!anchor) return
      const start = virtualizer.value.measurementsCache[lineOf(layout, indexOf(rows, anchor))]?.start
      if (start === undefined) return
      const delta = start - anchor.below - window.scrollY
      if (Math.abs(delta) >= 1) window.scrollBy({ top: delta, behavior: 'instant' })
    },
    { flush: 'post' },
  )

  function measure() {
    if (container.value) margin.value = Math.round(container.value.getBoundingClientRect().top + window.scrollY)
  }
  // Whatever grows or shrinks above the list moves it.
  const observer = new ResizeObserver(measure)
  onMounted(() => {
    observer.observe(document.body)
    measure()
  })
  onScopeDispose(() => observer.disconnect())

  return {
    shown,
    /** The head of the day that stays on top. */
    stuck,
    height: computed(() => virtualizer.value.getTotalSize()),
    /** The last line that is in the window or near it. */
    lastShown: computed(() => virtualizer.value.range?.endIndex ?? 0),
    /** Brings a line into the window; with the first comes all that stands above the list. */
    scrollTo(line: number) {
      if (line <= 1) window.scrollTo({ top: 0 })
      else virtualizer.value.scrollToIndex(line)
    },
  }
}
