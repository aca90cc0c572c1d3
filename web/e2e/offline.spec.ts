/** Promise: without any replica the page opens, shows the last data, and keeps what is added until it is stored, once. */
import type { Page } from '@playwright/test'
import { expect, harmfulTest as test } from './fixtures.ts'
import { addExpense, connectionLine, kept, rows, searchFor } from './people.ts'

/** What holds as long as nobody answers, also after a reload. */
async function worksAlone(page: Page, word: string) {
  await expect(connectionLine(page)).toContainText('No replica answers')
  await expect(rows(page, `Old ${word}`)).toHaveCount(1)
  await addExpense(page, { description: `First ${word}`, amount: '1' })
  await addExpense(page, { description: `Second ${word}`, amount: '2' })
  await expect(connectionLine(page)).toContainText('2 changes wait to be sent')
  await expect(rows(page, `First ${word}`)).toContainText('waiting')

  await page.reload()
  await expect(connectionLine(page)).toContainText('2 changes wait to be sent')
  await expect(rows(page, `Old ${word}`)).toHaveCount(1)
  await expect(rows(page, `First ${word}`)).toHaveCount(1)
  await expect(rows(page, `Second ${word}`)).toHaveCount(1)
}

test('a browser without a network', async ({ api, pageAt, word }) => {
  await api.add([{ description: `Old ${word}`, amount: '10' }])
  const page = await pageAt(1, searchFor(word))
  await expect(rows(page, word)).toHaveCount(1)
  await kept(page)

  await page.context().setOffline(true)
  await page.reload()
  await worksAlone(page, word)
  await page.context().setOffline(false)

  await expect(page.getByText('stored on 3 of 3').first()).toBeVisible()
  await expect(page.getByText('wait to be sent')).toHaveCount(0)
  await api.everywhere(word, 3)
  await expect(rows(page, word)).toHaveCount(3)
})

test('a cluster that is down', async ({ api, cluster, pageAt, word }) => {
  await api.add([{ description: `Old ${word}`, amount: '10' }])
  const page = await pageAt(3, searchFor(word))
  await expect(rows(page, word)).toHaveCount(1)
  await kept(page)

  await cluster.killAll()
  await page.reload()
  await worksAlone(page, word)
  await cluster.revive()

  await expect(page.getByText('stored on 3 of 3').first()).toBeVisible({ timeout: 30_000 })
  await expect(page.getByText('wait to be sent')).toHaveCount(0)
  await api.everywhere(word, 3)
  await expect(rows(page, word)).toHaveCount(3)
})

test('every page opens without a network, also one that was never opened before', async ({ pageAt }) => {
  const page = await pageAt(2)
  await kept(page)
  await page.context().setOffline(true)
  for (const name of ['Overview', 'Categories', 'Import & export', 'Trash', 'Replicas', 'Expenses']) {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click()
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
    await page.reload()
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  }
})

test('the page itself comes from the replica as long as it answers, and nothing of the API is kept', async ({ pageAt, cluster }) => {
  const page = await pageAt(1)
  await kept(page)
  const first = (await page.reload())?.headers()['date']
  // A page from the cache would say the same for ever.
  await expect.poll(async () => (await page.reload())?.headers()['date']).not.toBe(first)

  await page.goto(`${cluster.url(1)}/graphiql`)
  await page.goto(`${cluster.url(1)}/readyz`)
  await page.goto(`${cluster.url(1)}/`)
  const names = await page.evaluate(async () => {
    const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)))
    const requests = await Promise.all(caches.map((cache) => cache.keys()))
    return requests.flat().map(({ url }) => new URL(url).pathname)
  })
  expect(names).toContain('/index.html')
  expect(names.filter((name) => /^\/(graphql|graphiql|healthz|readyz)/.test(name))).toEqual([])
})
