/** Until when a row tells what became of what the person did to it. */
import { onScopeDispose, shallowReactive, watch, type ShallowRef } from 'vue'
import type { Entry } from '@/outbox/entry'
import { useServices } from '@/services'
import type { View } from './useExpenseList'

/** How long it is told that every replica has it, in milliseconds. */
const TOLD_FOR = 4_000
/** How long it is told that some have it, where others are away. */
const TOLD_AT_MOST = 30_000

export function useBadges(view: Readonly<ShallowRef<View>>) {
  const { cluster } = useServices()
  /** Keys of entries that have been told for long enough. The outbox drops them in the end, and so does this. */
  const told = shallowReactive(new Set<string>())
  const timers = new Map<string, { everywhere: boolean; timer: ReturnType<typeof setTimeout> }>()

  watch(
    [view, cluster.replicas],
    ([{ marks }]) => {
      if (marks.size === 0 && told.size > 0) told.clear()
      for (const { key, state, receipt } of marks.values()) {
        if (state !== 'stored' || told.has(key)) continue
        const everywhere = !receipt || cluster.holding(receipt.revision) >= cluster.replicas.value.length
        const known = timers.get(key)
        if (known?.everywhere || (known && !everywhere)) continue
        clearTimeout(known?.timer)
        const end = () => {
          timers.delete(key)
          told.add(key)
        }
        timers.set(key, { everywhere, timer: setTimeout(end, everywhere ? TOLD_FOR : TOLD_AT_MOST) })
      }
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    for (const { timer } of timers.values()) clearTimeout(timer)
  })

  /** The entry to tell of at a row; null where there is none. */
  return (id: string): Entry | null => {
    const entry = view.value.marks.get(id)
    return entry && !told.has(entry.key) ? entry : null
  }
}
