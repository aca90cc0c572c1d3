/** Has something read again when a replica answers again, or when the feed begins: until then it may have missed changes. */
import { watch } from 'vue'
import { useServices } from '@/services'

/**
 * Calls back when the page is online again after it was not, and when the feed has begun after the component was made.
 * Ends with the component.
 */
export function whenOnline(read: () => void) {
  const { endpoints, feed } = useServices()
  watch(
    () => endpoints.state.reachability === 'online' && feed.state.revision !== null,
    (ready) => {
      if (ready) read()
    },
  )
}
