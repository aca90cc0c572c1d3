/**
 * Parts of the page that are loaded when they are opened, and may be gone by then: a newer page has taken their place,
 * or the replica that served them is away.
 */
import type { Router } from 'vue-router'
import { showToast } from '@/components/toasts'
import type { Endpoints } from '@/graphql/endpoints'
import { i18n } from '@/i18n'

/** How long after the start all parts are fetched where nothing else keeps them, in milliseconds. */
const FETCH_AFTER = 5_000
/** Remembers the reload that is tried once. */
const STORAGE_KEY = 'threefold.missing'

export function mendMissingParts(router: Router, endpoints: Endpoints, origin = location.origin) {
  router.onError((error, to) => {
    if (!/module|preload|import/i.test(String(error))) return reportError(error)
    // The newer page knows its own parts. Where its replica is away, a reload would lose the page that is there.
    const answers = endpoints.current.value.url === origin && endpoints.state.reachability === 'online'
    if (!answers || sessionStorage.getItem(STORAGE_KEY) === to.fullPath) {
      showToast(i18n.global.t('common.missingPart'), { tone: 'bad' })
      return
    }
    sessionStorage.setItem(STORAGE_KEY, to.fullPath)
    location.assign(to.fullPath)
  })
  router.afterEach((_to, _from, failure) => {
    if (!failure) sessionStorage.removeItem(STORAGE_KEY)
  })
  // Browsers give service workers to pages from https and from this machine only.
  if (!('serviceWorker' in navigator)) setTimeout(() => fetchAll(router), FETCH_AFTER)
}

function fetchAll(router: Router) {
  for (const { components } of router.getRoutes()) {
    const load = components?.['default']
    if (typeof load === 'function') void Promise.resolve((load as () => unknown)()).catch(() => undefined)
  }
}
