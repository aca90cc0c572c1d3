/** Files that are dropped anywhere on the page. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** Calls back with the first file that is dropped while `allowed`; true while one is held over the page. */
export function useFileDrop(take: (file: File) => void, allowed: () => boolean): Ref<boolean> {
  const over = ref(false)

  function holdsFile(event: DragEvent): boolean {
    return event.dataTransfer?.types.includes('Files') ?? false
  }

  function onOver(event: DragEvent) {
    if (!holdsFile(event)) return
    // Without this the browser would open the file in place of the page.
    event.preventDefault()
    over.value = allowed()
    if (event.dataTransfer) event.dataTransfer.dropEffect = over.value ? 'copy' : 'none'
  }

  function onLeave(event: DragEvent) {
    if (event.relatedTarget === null) over.value = false
  }

  function onDrop(event: DragEvent) {
    if (!holdsFile(event)) return
    event.preventDefault()
    over.value = false
    const [file] = event.dataTransfer?.files ?? []
    if (file && allowed()) take(file)
  }

  onMounted(() => {
    window.addEventListener('dragover', onOver)
    window.addEventListener('dragleave', onLeave)
    window.addEventListener('drop', onDrop)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('dragover', onOver)
    window.removeEventListener('dragleave', onLeave)
    window.removeEventListener('drop', onDrop)
  })
  return over
}
