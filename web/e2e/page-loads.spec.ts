/** Promise: every page opens at every replica, fast, from the replica alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { REPLICAS } from './cluster.ts'
import { expect, test } from './fixtures.ts'
import { PAGES } from './pages.ts'

const DIST = join(import.meta.dirname, '../dist')
/** Most that the first page may need of scripts, compressed, in bytes. */
const SCRIPT_BUDGET = 250_000

for (const replica of REPLICAS) {
  test(`every page opens at replica ${replica}`, async ({ pageAt, cluster }) => {
    const page = await pageAt(replica)
    const elsewhere: string[] = []
    page.on('request', (request) => {
      const address = new URL(request.url())
      if (address.hostname !== '127.0.0.1') elsewhere.push(request.url())
    })
    for (const { path, heading } of PAGES) {
      await page.goto(cluster.url(replica) + path)
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
      await expect(page.getByRole('link', { name: 'Replicas', exact: true }).first()).toBeVisible()
    }
    expect(elsewhere).toEqual([])
  })
}

test('the page is painted', async ({ pageAt }) => {
  const page = await pageAt(1)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null)
  expect(paint).not.toBeNull()
  // How long it takes depends on the machine: told, not asserted.
  process.stdout.write(`first contentful paint after ${Math.round(paint ?? 0)} ms\n`)
})

test('the scripts of the first page are within their budget', () => {
  const html = readFileSync(join(DIST, 'index.html'), 'utf8')
  const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path ?? '')
  expect(scripts.length).toBeGreaterThan(0)
  const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length, 0)
  expect(bytes).toBeLessThan(SCRIPT_BUDGET)
  process.stdout.write(`scripts of the first page: ${bytes} bytes compressed\n`)
})

test('an address of the API is no page', async ({ cluster, request }) => {
  for (const path of ['/graphql', '/healthz', '/readyz']) {
    const response = await request.get(cluster.url(2) + path)
    expect(response.headers()['content-type'] ?? '', path).not.toContain('text/html')
  }
})
