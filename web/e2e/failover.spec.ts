/** Promise: the replica that serves the page may die at any moment; nothing is lost, nothing is doubled. */
import { REPLICAS, type ReplicaId } from './cluster.ts'
import { expect, harmfulTest as test } from './fixtures.ts'
import { addExpense, connectionLine, kept, pressAdd, rows, searchFor, typeExpense } from './people.ts'

function others(id: ReplicaId): ReplicaId[] {
  return REPLICAS.filter((each) => each !== id)
}

for (const role of ['leader', 'follower'] as const) {
  test(`the page moves on when its replica, the ${role}, is killed while somebody types`, async ({ api, cluster, pageAt, word }) => {
    const leader = await api.leader()
    const dying = role === 'leader' ? leader : (others(leader)[0] ?? leader)
    const page = await pageAt(dying, searchFor(word))
    await expect(page.getByText('Nothing found')).toBeVisible()

    await typeExpense(page, { description: `Tea ${word}`, amount: '2.80' })
    await cluster.kill(dying)
    await pressAdd(page)

    await expect(connectionLine(page)).toContainText(`Replica ${dying} went away. Now connected to replica`)
    await expect(rows(page, word)).toHaveCount(1)
    await expect(page.getByText('stored on 2 of 3').first()).toBeVisible()
    await api.everywhere(word, 1, others(dying))

    await cluster.revive()
    await expect(page.getByText('stored on 3 of 3').first()).toBeVisible()
    const [stored] = await api.everywhere(word, 1)
    expect(stored).toMatchObject({ description: `Tea ${word}`, amount: { amount: '2.80' } })
  })
}

test('an expense on its way to a replica that hangs and dies is added once', async ({ api, cluster, pageAt, word }) => {
  const leader = await api.leader()
  const [dying = leader] = others(leader)
  const page = await pageAt(dying, searchFor(word))
  await expect(page.getByText('Nothing found')).toBeVisible()
  cluster.pause(dying)
  const sent = page.waitForRequest((request) => (request.postData() ?? '').includes(word))
  await addExpense(page, { description: `Cheese ${word}`, amount: '7' })
  await sent
  await cluster.kill(dying)
  await api.everywhere(word, 1, others(dying))
  await expect(page.getByText('stored on 2 of 3').first()).toBeVisible()
  await cluster.revive()
  await api.everywhere(word, 1)
  await expect(rows(page, word)).toHaveCount(1)
})

test('an answer that was lost on its way adds nothing twice', async ({ api, pageAt, word }) => {
  const page = await pageAt(1, searchFor(word))
  await expect(page.getByText('Nothing found')).toBeVisible()
  let lost = 0
  await page.route('**/graphql', async (route) => {
    const isMutation = (route.request().postData() ?? '').includes(word) && route.request().postData()?.includes('mutation')
    if (!isMutation || lost > 0) return route.fallback()
    lost += 1
    // The replica does what it is asked for; nobody hears of it.
    await route.fetch()
    return route.abort('connectionreset')
  })
  await addExpense(page, { description: `Honey ${word}`, amount: '5.50' })
  await expect(page.getByText('stored on 3 of 3').first()).toBeVisible()
  expect(lost).toBe(1)
  await api.everywhere(word, 1)
  await expect(rows(page, word)).toHaveCount(1)
})

test('the page misses no change that somebody else makes during the move', async ({ api, cluster, pageAt, word }) => {
  const count = 40
  const dying = await api.leader()
  const page = await pageAt(dying, searchFor(word))
  await expect(page.getByText('Nothing found')).toBeVisible()
  for (let number = 1; number <= count; number += 1) {
    if (number === 10) await cluster.kill(dying)
    await api.insist({ description: `Item ${number} ${word}`, amount: String(number) }, others(dying))
  }
  await expect(page.getByText(`${count} expenses`, { exact: true })).toBeVisible()
  // Read afresh at a replica that was never away, there is nothing else.
  const [alive = dying] = others(dying)
  const afresh = await pageAt(alive, searchFor(word))
  await expect(afresh.getByText(`${count} expenses`, { exact: true })).toBeVisible()
  await api.everywhere(word, count, others(dying))
})

test('a reload opens the page while its replica hangs, and while it is dead', async ({ cluster, pageAt, api, word }) => {
  await api.add([{ description: `Salt ${word}`, amount: '0.90' }])
  const page = await pageAt(2, searchFor(word))
  await expect(rows(page, word)).toHaveCount(1)
  await kept(page)

  cluster.pause(2)
  await page.reload()
  // As long as a query may take, and then elsewhere.
  await expect(rows(page, word)).toHaveCount(1, { timeout: 20_000 })
  await api.insist({ description: `Oil ${word}`, amount: '8' }, [1, 3])
  await expect(rows(page, word)).toHaveCount(2)

  await cluster.kill(2)
  await page.reload()
  await expect(rows(page, word)).toHaveCount(2)
  await addExpense(page, { description: `Pepper ${word}`, amount: '3' })
  await api.everywhere(word, 3, [1, 3])
})
