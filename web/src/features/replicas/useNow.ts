/** This machine's clock, for texts such as "0.3 s ago". It stands still while nobody looks. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/** Between two ticks, in milliseconds. */
const INTERVAL = 200

export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now())
  const timer = setInterval(() => {
    if (!document.hidden) now.value = Date.now()
  }, INTERVAL)
  onScopeDispose(() => clearInterval(timer))
  return readonly(now)
}
