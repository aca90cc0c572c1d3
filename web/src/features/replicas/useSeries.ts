/** The numbers that the sparklines draw, in step with the screen and only while somebody looks. */
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import type { Cluster } from '@/cluster/cluster'
import { scaleOf, seriesOf, type Series } from './series'

/** Shortest time between two drawings, in milliseconds. */
const INTERVAL = 100

export interface Drawing {
  series: ReadonlyMap<string, Series>
  /** The top of every replica's scale. */
  writesScale: number
  lagScale: number
}

export function useSeries(cluster: Cluster): Readonly<ShallowRef<Drawing>> {
  const drawing = shallowRef(draw())
  let changed = false
  let drawnAt = Date.now()
  const stop = cluster.listen(() => (changed = true))

  function draw(): Drawing {
    const series = seriesOf(cluster.past(), Date.now())
    const all = [...series.values()]
    return {
      series,
      writesScale: scaleOf(all.map(({ writes }) => writes)),
      lagScale: scaleOf(all.map(({ lag }) => lag)),
    }
  }

  // Hidden pages get no frames.
  let frame = requestAnimationFrame(function tick() {
    frame = requestAnimationFrame(tick)
    const now = Date.now()
    const due = changed ? Math.abs(now - drawnAt) >= INTERVAL : Math.floor(now / 1_000) !== Math.floor(drawnAt / 1_000)
    if (!due) return
    changed = false
    drawnAt = now
    drawing.value = draw()
  })
  onScopeDispose(() => {
    cancelAnimationFrame(frame)
    stop()
  })
  return drawing
}
