/** Where an arrow key leads from a day of the calendar. */
import { addDays } from '@/format/date'

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }

/** The day among those, in order, that the key leads to: one step away, or the next one there is; null for none. */
export function neighbour(dates: readonly string[], from: string, key: string): string | null {
  if (key === 'Home') return dates[0] ?? null
  if (key === 'End') return dates.at(-1) ?? null
  const days = STEPS[key]
  if (days === undefined) return null
  const wanted = addDays(from, days)
  const next = days > 0 ? dates.find((date) => date >= wanted) : dates.findLast((date) => date <= wanted)
  return next ?? null
}
