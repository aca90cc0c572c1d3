/**
 * Opens the page where no replica answers. It keeps the files of one build, all of them or none, and nothing else:
 * what the API says is kept by the page itself (`src/offline`).
 */
/// <reference lib="webworker" />
import { cleanupOutdatedCaches, matchPrecache, precacheAndRoute, type PrecacheEntry } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] }

/** How long the replica may take with the page before the kept one opens, in milliseconds. */
const PATIENCE = 2_000
/** What is at the same origin and not part of the page. */
const OTHERS = [/^\/graphql\b/, /^\/graphiql\b/, /^\/healthz$/, /^\/readyz$/]

// Files are named by their content; index.html is not, and is asked for below.
precacheAndRoute(self.__WB_MANIFEST, { directoryIndex: '' })
cleanupOutdatedCaches()
registerRoute(new NavigationRoute(({ request }) => openPage(request), { denylist: OTHERS }))

// The page that brought it has it at once: what that page has not opened yet is here, should the replica go away.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('message', ({ data }: ExtendableMessageEvent) => {
  // The person has said that the new version may take over.
  if ((data as { type?: unknown } | null)?.type === 'SKIP_WAITING') void self.skipWaiting()
})

/** From the replica, because the page's Content-Security-Policy names the replicas of the moment; else the kept one. */
async function openPage(request: Request): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) })
    if (response.status < 500) return response
  } catch {
    // No replica is there, or it hangs.
  }
  return (await matchPrecache('index.html')) ?? Response.error()
}
