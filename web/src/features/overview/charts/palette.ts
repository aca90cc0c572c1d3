/** The page's colours and font for charts: a canvas cannot follow CSS by itself. */
import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'
import { theme } from '@/shell/theme'

const TOKENS = {
  ink: '--ink',
  soft: '--ink-soft',
  rule: '--rule',
  strong: '--rule-strong',
  sheet: '--sheet',
  raised: '--sheet-raised',
  carbon: '--carbon',
} as const

export interface Palette extends Record<keyof typeof TOKENS, string> {
  font: string
  /** False where the person wants nothing to move. */
  moves: boolean
}

/** Read anew whenever the person or the system changes between light and dark. */
export function usePalette(): Readonly<ShallowRef<Palette>> {
  const palette = shallowRef(read())
  const renew = () => (palette.value = read())
  const queries = ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)'].map((query) => matchMedia(query))
  for (const query of queries) query.addEventListener('change', renew)
  // After the document has the new theme: see `applyTheme`.
  watch(theme, renew, { flush: 'post' })
  onScopeDispose(() => {
    for (const query of queries) query.removeEventListener('change', renew)
  })
  return palette
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement)
  const colors = Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()])
  return {
    ...(Object.fromEntries(colors) as Record<keyof typeof TOKENS, string>),
    font: getComputedStyle(document.body).fontFamily,
    moves: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  }
}
