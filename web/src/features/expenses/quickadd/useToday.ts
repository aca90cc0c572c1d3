/** Today, also for a page that stays open over midnight. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue'
import { today } from '@/format/date'

/** How often the calendar is looked at, in milliseconds. */
const INTERVAL = 30_000

export function useToday(): Readonly<Ref<string>> {
  const date = ref(today())
  const look = () => (date.value = today())
  const timer = setInterval(look, INTERVAL)
  // Timers sleep while the machine does.
  document.addEventListener('visibilitychange', look)
  onScopeDispose(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return readonly(date)
}
