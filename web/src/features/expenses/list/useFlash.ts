/** Marks rows for a moment, so that the eye finds what another person has changed. */
import { onScopeDispose, shallowRef } from 'vue'

/** How long a row stays marked, in milliseconds. */
const SHOWN_FOR = 2_000
/** More than that at once would be a flicker, and tell nothing. */
const MAX_ROWS = 40

export function useFlash() {
  const ids = shallowRef<ReadonlySet<string>>(new Set())
  let end: ReturnType<typeof setTimeout> | undefined

  onScopeDispose(() => clearTimeout(end))

  return {
    ids,
    show(rows: readonly string[]) {
      if (rows.length === 0 || rows.length > MAX_ROWS) return
      ids.value = new Set([...[...ids.value].slice(-MAX_ROWS), ...rows])
      clearTimeout(end)
      end = setTimeout(() => (ids.value = new Set()), SHOWN_FOR)
    },
  }
}
