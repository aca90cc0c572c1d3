/** The stream of revisions, from what the page knew before and whatever comes. */
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import { useServices } from '@/services'
import { MAX_ROWS, withBatch, withMoment, type Row } from './stream'

/** Longest time that a change waits to be shown, in milliseconds: what comes closely is drawn together. */
const INTERVAL = 100

export function useStream(): Readonly<ShallowRef<readonly Row[]>> {
  const { feed, cluster } = useServices()
  // Only the newest can have a row; bursts take several.
  let rows: readonly Row[] = feed
    .recent()
    .slice(-5 * MAX_ROWS)
    .reduce((all, batch) => withBatch(all, batch, cluster.past()), [] as readonly Row[])
  const shown = shallowRef(rows)
  let drawing: ReturnType<typeof setTimeout> | undefined

  function put(next: readonly Row[]) {
    if (next === rows) return
    rows = next
    drawing ??= setTimeout(() => {
      drawing = undefined
      shown.value = rows
    }, INTERVAL)
  }

  const stops = [
    cluster.listen((moment) => put(withMoment(rows, moment))),
    feed.listen((message) => {
      if (message.type === 'batch') put(withBatch(rows, message.batch, cluster.past()))
    }),
  ]
  onScopeDispose(() => {
    clearTimeout(drawing)
    for (const stop of stops) stop()
  })
  return shown
}
