/** The access token, where the replicas ask for one. It is asked for once and kept in this browser. */
import { reactive, readonly } from 'vue'

const STORAGE_KEY = 'threefold.token'

export type Access = ReturnType<typeof createAccess>

export function createAccess(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null) {
  const state = reactive({
    token: read(storage),
    /** True while the person is asked for a token, because none or a wrong one was sent. */
    wanted: false,
  })
  return {
    state: readonly(state),
    /** The value of the Authorization header, if there is one to send. */
    authorization: () => (state.token ? `Bearer ${state.token}` : undefined),
    /** The API refused what was sent. */
    refused() {
      state.wanted = true
    },
    give(token: string) {
      state.token = token.trim()
      state.wanted = false
      try {
        storage?.setItem(STORAGE_KEY, state.token)
      } catch {
        // Kept for this visit only.
      }
    },
  }
}

function read(storage: Pick<Storage, 'getItem'> | null): string {
  try {
    return storage?.getItem(STORAGE_KEY) ?? ''
  } catch {
    return ''
  }
}
