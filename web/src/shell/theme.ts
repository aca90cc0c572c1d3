/** Light, dark, or as the system has it. */
import { ref, watchEffect } from 'vue'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const STORAGE_KEY = 'threefold.theme'

export const theme = ref<Theme>(read())

/** Keeps the document as the person wants it. */
export function applyTheme() {
  watchEffect(() => {
    if (theme.value === 'auto') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme.value
    try {
      localStorage.setItem(STORAGE_KEY, theme.value)
    } catch {
      // For this visit only.
    }
  })
}

/** True where the page is dark now; charts ask, everything else follows CSS. */
export function isDark(): boolean {
  if (theme.value !== 'auto') return theme.value === 'dark'
  return window.matchMedia('(prefers-color-scheme: dark)').matches
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(STORAGE_KEY)
    return THEMES.find((known) => known === stored) ?? 'auto'
  } catch {
    return 'auto'
  }
}
