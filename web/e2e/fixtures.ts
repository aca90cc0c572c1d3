/** What every browser test has: a cluster, pages at its replicas, the API, and eyes for hidden troubles. */
import { test as base, expect, type Page } from '@playwright/test'
import { randomUUID } from 'node:crypto'
import { Api } from './api.ts'
import { Cluster, type ReplicaId } from './cluster.ts'
import { Troubles } from './troubles.ts'

interface WorkerFixtures {
  /** The cluster of this worker, shared by the tests that do not harm it. */
  cluster: Cluster
}

interface TestFixtures {
  api: Api
  troubles: Troubles
  /** A person of their own, with a page at that replica. */
  pageAt: (replica: ReplicaId, path?: string) => Promise<Page>
  /** A word that no other test uses, to tell this test's data from theirs. */
  word: string
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  cluster: [
    // The runner wants the braces.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use, { parallelIndex }) => {
      const cluster = await Cluster.start(parallelIndex)
      await use(cluster)
      await cluster.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  api: async ({ cluster }, use) => use(new Api(cluster)),
  troubles: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const troubles = new Troubles()
      await use(troubles)
      expect(troubles.all(), 'errors that nobody sees').toEqual([])
    },
    { auto: true },
  ],
  pageAt: async ({ browser, cluster, troubles }, use) => {
    const contexts: { close: () => Promise<void> }[] = []
    await use(async (replica, path = '/') => {
      const context = await browser.newContext()
      contexts.push(context)
      await troubles.watch(context)
      const page = await context.newPage()
      await page.goto(cluster.url(replica) + path)
      return page
    })
    await Promise.all(contexts.map((context) => context.close()))
  },
  // eslint-disable-next-line no-empty-pattern
  word: async ({}, use) => use(`w${randomUUID().replaceAll('-', '').slice(0, 12)}`),
})

/** For files whose tests kill replicas: the cluster is whole again after each, also after one that failed. */
export const harmfulTest = test.extend<{ mended: undefined }>({
  mended: [
    async ({ cluster, troubles }, use) => {
      troubles.allowNetworkErrors()
      await use(undefined)
      await cluster.revive()
    },
    { auto: true },
  ],
})

export { expect }
