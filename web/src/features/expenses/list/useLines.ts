/** Which lines of the list are in the document: those in the window, the head of the day on top, and the focused one. */
import { defaultRangeExtractor, useWindowVirtualizer, type Range } from '@tanstack/vue-virtual'
import { computed, nextTick, onMounted, onScopeDispose, ref, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { dayOf, lineAt, lineOf, type Line } from './layout'
import { indexOf } from './loaded'
import type { View } from './useExpenseList'

/** Sizes in rem, so that they grow with the person's text. */
const ROW = 2.5
const ROW_NARROW = 3.5
const DAY = 2.25
/** Lines beyond the window, so that scrolling shows no holes. */
const OVERSCAN = 12
/** Where the navigation moves to the bottom; see the shell. */
const NARROW = '(max-width: 52rem)'

export interface LinesOptions {
  view: Readonly<ShallowRef<View>>
  container: Ref<HTMLElement | null>
  /** Lines that are higher than others, in pixels. */
  higher: ComputedRef<ReadonlyMap<number, number>>
  /** Lines that stay in the document wherever the window is: the one with the focus, the one that is edited. */
  kept: ComputedRef<readonly number[]>
}

export type ShownLine = Line & { key: string; top: number; height: number; line: number }

export function useLines({ view, container, higher, kept }: LinesOptions) {
  const narrow = ref(false)
  const rem = ref(16)
  const margin = ref(0)
  const rowHeight = computed(() => Math.round((narrow.value ? ROW_NARROW : ROW) * rem.value))
  const dayHeight = computed(() => Math.round(DAY * rem.value))
  const stuck = ref(0)

  // A new function means new places: the virtualizer asks for all sizes again.
  const key = computed(() => {
    void [view.value.layout, higher.value, rowHeight.value]
    return (line: number) => line
  })
  const virtualizer = useWindowVirtualizer<HTMLElement>(
    computed(() => {
      const { layout } = view.value
      const sizes = higher.value
      const [row, day] = [rowHeight.value, dayHeight.value]
      const keptLines = kept.value
      return {
        count: layout.count,
        estimateSize: (line: number) => ((layout.lines[line] ?? 0) < 0 ? day : (sizes.get(line) ?? row)),
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

  const shown = computed<ShownLine[]>(() => {
    const { layout, rows } = view.value
    return virtualizer.value.getVirtualItems().flatMap(({ index, start, size }) => {
      const line = lineAt(layout, index)
      if (!line) return []
      const name = line.kind === 'day' ? line.day.date : (rows[line.row]?.id ?? '')
      return [{ ...line, key: name, top: start - margin.value, height: size, line: index }]
    })
  })

  // What comes in above the window moves nothing in it.
  let anchor: { spentOn: string; id: string; offset: number } | null = null
  watch(
    view,
    (_, before) => {
      const top = window.scrollY
      const item = virtualizer.value.getVirtualItemForOffset(top + dayHeight.value)
      const line = item && top > margin.value ? lineAt(before.layout, item.index) : null
      const row = line && before.rows[line.kind === 'row' ? line.row : line.day.start]
      anchor = row && item ? { spentOn: row.spentOn, id: row.id, offset: item.start - top } : null
      if (line?.kind === 'day') anchor = null
    },
    { flush: 'sync' },
  )
  watch(
    view,
    ({ rows, layout }) => {
      if (!anchor) return
      const line = lineOf(layout, indexOf(rows, anchor))
      if (line < 0) return
      const start = virtualizer.value.getOffsetForIndex(line, 'start')?.[0]
      if (start === undefined) return
      const delta = start + dayHeight.value + 8 - anchor.offset - window.scrollY
      if (Math.abs(delta) >= 1) window.scrollBy({ top: delta, behavior: 'instant' })
    },
    { flush: 'post' },
  )

  function measure() {
    rem.value = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16
    if (container.value) margin.value = Math.round(container.value.getBoundingClientRect().top + window.scrollY)
  }
  const media = window.matchMedia(NARROW)
  const onMedia = () => (narrow.value = media.matches)
  // Whatever grows or shrinks above the list moves it.
  const observer = new ResizeObserver(measure)
  onMounted(() => {
    onMedia()
    media.addEventListener('change', onMedia)
    observer.observe(document.body)
    if (container.value?.parentElement) observer.observe(container.value.parentElement)
    measure()
    void nextTick(measure)
  })
  watch(container, measure, { flush: 'post' })
  onScopeDispose(() => {
    media.removeEventListener('change', onMedia)
    observer.disconnect()
  })

  return {
    shown,
    narrow,
    /** The head of the day that stays on top. */
    stuck,
    height: computed(() => virtualizer.value.getTotalSize()),
    rowHeight,
    /** The last line that is in the window or near it. */
    lastShown: computed(() => virtualizer.value.range?.endIndex ?? 0),
    scrollTo: (line: number, align: 'auto' | 'start' | 'center' = 'auto') => virtualizer.value.scrollToIndex(line, { align }),
  }
}
