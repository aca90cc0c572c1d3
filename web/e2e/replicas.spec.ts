/** Promise: what happens to a replica is seen on the replica view within a second, and each database can be looked into. */
import type { Page } from '@playwright/test'
import { REPLICAS, type ReplicaId } from './cluster.ts'
import { expect, harmfulTest as test } from './fixtures.ts'

function sheet(page: Page, id: ReplicaId) {
  return page.getByRole('article', { name: `Replica ${id}` })
}

/** When the page learned of it, by the clock of this machine, in milliseconds. */
async function toldAt(page: Page, event: RegExp): Promise<number> {
  const entry = page.getByRole('region', { name: 'Events' }).getByRole('listitem').filter({ hasText: event })
  await expect(entry.first()).toBeVisible()
  return Date.parse((await entry.first().getByRole('time').getAttribute('datetime')) ?? '')
}

test('a follower that dies is seen within a second, and so is its return', async ({ api, cluster, pageAt }) => {
  const leader = await api.leader()
  const [dying = leader] = REPLICAS.filter((id) => id !== leader)
  const page = await pageAt(leader, '/replicas')
  for (const id of REPLICAS) await expect(sheet(page, id)).toContainText('in sync')
  await expect(sheet(page, leader)).toContainText('leader')
  await expect(page.getByText('all hashes equal').first()).toBeVisible()

  const killed = Date.now()
  await cluster.kill(dying)
  await expect(sheet(page, dying)).toContainText('unreachable')
  expect((await toldAt(page, new RegExp(`Replica ${dying} is not reachable`))) - killed).toBeLessThan(1_000)

  await cluster.revive()
  await toldAt(page, new RegExp(`Replica ${dying} is back`))
  await expect(sheet(page, dying)).not.toContainText('unreachable')
  await expect(sheet(page, dying)).not.toContainText('not in sync')
  await expect(page.getByText('all hashes equal').first()).toBeVisible()
})

test('when the leader dies, the page sees who leads next', async ({ api, cluster, pageAt }) => {
  const leader = await api.leader()
  const [own = leader] = REPLICAS.filter((id) => id !== leader)
  const page = await pageAt(own, '/replicas')
  await expect(sheet(page, leader)).toContainText('leader')
  await cluster.kill(leader)
  await toldAt(page, new RegExp(`Replica ${leader} is not reachable`))
  const next = await api.leader(own)
  await expect(sheet(page, next)).toContainText('leader')
  expect(next).not.toBe(leader)
})

test('one expense is looked up in all three databases', async ({ api, pageAt, word }) => {
  const [id = ''] = await api.add([{ description: `Desk ${word}`, amount: '120' }])
  await api.update(id, { amount: '130' }, 2)
  const page = await pageAt(1, '/replicas')
  await page.getByLabel('Find an expense').fill(word)
  await page.getByRole('option', { name: `Desk ${word}` }).click()
  await expect(page.getByText('All copies that answered say the same.')).toBeVisible()
  const table = page.getByRole('table', { name: `Desk ${word}` })
  for (const replica of REPLICAS) await expect(table.getByRole('columnheader', { name: `Replica ${replica}` })).toBeVisible()
  await expect(table.getByRole('row', { name: /^Version/ }).getByRole('cell')).toHaveText(['2', '2', '2'])
  await expect(table.getByRole('row', { name: /^Amount/ }).getByRole('cell')).toHaveText([/130/, /130/, /130/])
})

test('a change is seen on its way into each database', async ({ api, pageAt, word }) => {
  const page = await pageAt(3, '/replicas')
  for (const id of REPLICAS) await expect(sheet(page, id)).toContainText('in sync')
  await api.add([{ description: `Chair ${word}`, amount: '45' }])
  const row = page.getByRole('row').filter({ hasText: `Chair ${word}` })
  await expect(row).toBeVisible()
  for (const id of REPLICAS) await expect(row.getByText(new RegExp(`Replica ${id} has it`))).toBeAttached()
})
