/** The height of an element as it grows and shrinks, in pixels. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** `guess` is said until there is something to measure. */
export function useHeight(element: Ref<HTMLElement | HTMLElement[] | null>, guess: number) {
  const height = ref(guess)
  const observer = new ResizeObserver(([entry]) => {
    const box = entry?.borderBoxSize[0]
    if (box && box.blockSize > 0) height.value = Math.ceil(box.blockSize)
  })
  watch(
    element,
    (now) => {
      observer.disconnect()
      // Inside v-for a ref is a list.
      const one = Array.isArray(now) ? now[0] : now
      if (one) observer.observe(one)
    },
    { flush: 'post' },
  )
  onScopeDispose(() => observer.disconnect())
  return height
}
