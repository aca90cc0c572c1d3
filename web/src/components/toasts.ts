/** Short messages at the edge of the page, with one thing to do about each. */
import { readonly, shallowReactive } from 'vue'

/** Most at the same time; the oldest go first. */
const MAX_TOASTS = 4
/** How long one stays, in milliseconds: longer where there is something to do. */
const SHOWN_FOR = 6_000
const SHOWN_WITH_ACTION_FOR = 12_000

export interface Toast {
  id: number
  text: string
  tone: 'plain' | 'bad'
  action?: { label: string; run: () => void }
}

const toasts = shallowReactive<Toast[]>([])
let lastId = 0

export const shownToasts = readonly(toasts) as readonly Toast[]

export function showToast(text: string, { tone = 'plain', action }: Partial<Pick<Toast, 'tone' | 'action'>> = {}) {
  lastId += 1
  const toast: Toast = { id: lastId, text, tone, ...(action && { action }) }
  toasts.push(toast)
  if (toasts.length > MAX_TOASTS) toasts.shift()
  setTimeout(() => dismissToast(toast.id), action ? SHOWN_WITH_ACTION_FOR : SHOWN_FOR)
}

export function dismissToast(id: number) {
  const index = toasts.findIndex((toast) => toast.id === id)
  if (index >= 0) toasts.splice(index, 1)
}
