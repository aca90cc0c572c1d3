/** How high lines are, in pixels: they grow with the person's text, and are higher where they have two lines of it. */
import { computed, onScopeDispose, ref } from 'vue'

/** In rem. */
const ROW = 2.5
const ROW_NARROW = 3.5
const DAY = 2.25
const REFUSAL = 2.25
/** Where the navigation moves to the bottom; see the shell. */
const NARROW = '(max-width: 52rem)'

export type Sizes = ReturnType<typeof useSizes>

export function useSizes() {
  const media = window.matchMedia(NARROW)
  const narrow = ref(media.matches)
  const rem = ref(Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16)
  const onChange = () => (narrow.value = media.matches)
  media.addEventListener('change', onChange)
  onScopeDispose(() => media.removeEventListener('change', onChange))
  const pixels = (size: number) => Math.round(size * rem.value)
  const rowHeight = computed(() => pixels(narrow.value ? ROW_NARROW : ROW))
  return {
    narrow,
    rem,
    rowHeight,
    dayHeight: computed(() => pixels(DAY)),
    /** A row that says why something was refused. */
    refusedHeight: computed(() => rowHeight.value + pixels(REFUSAL)),
  }
}
