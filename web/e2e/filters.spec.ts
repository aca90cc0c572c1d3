/** Promise: what is searched for is in the address, and said in chips. */
import type { Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'
import { rows, searchFor } from './people.ts'

function chips(page: Page) {
  return page.getByRole('list', { name: 'What is searched for' }).getByRole('listitem')
}

test('an address opens the list that it stands for', async ({ api, pageAt, word }) => {
  const categoryId = await api.addCategory(`Food ${word}`)
  await api.add([
    { description: `Feast ${word}`, amount: '80', categoryId, tags: ['party'] },
    { description: `Snack ${word}`, amount: '4', categoryId },
    { description: `Lamp ${word}`, amount: '90' },
    { description: `Wine ${word}`, amount: '70', categoryId, spentOn: '2020-02-02' },
  ])
  const expected: [query: string, descriptions: string[]][] = [
    [word, ['Feast', 'Snack', 'Lamp', 'Wine']],
    [`cat:"Food ${word}"`, ['Feast', 'Snack', 'Wine']],
    [`cat:"Food ${word}" amount:>50`, ['Feast', 'Wine']],
    [`${word} date:2020-Q1`, ['Wine']],
    [`${word} tag:party`, ['Feast']],
    [`${word} -cat:"Food ${word}"`, ['Lamp']],
    [`${word} (lamp OR wine)`, ['Lamp', 'Wine']],
  ]
  for (const [query, descriptions] of expected) {
    const page = await pageAt(2, searchFor(query))
    await expect(page.getByText(`${descriptions.length} expense${descriptions.length > 1 ? 's' : ''}`, { exact: true })).toBeVisible()
    for (const description of descriptions) await expect(rows(page, `${description} ${word}`), query).toHaveCount(1)
  }
})

test('chips go one by one, and the back button brings them again', async ({ api, pageAt, word }) => {
  await api.add([
    { description: `Dear ${word}`, amount: '80' },
    { description: `Cheap ${word}`, amount: '4' },
  ])
  const page = await pageAt(1, searchFor(`${word} amount:>50`))
  await expect(chips(page)).toHaveCount(2)
  await expect(rows(page, word)).toHaveCount(1)

  await page.getByRole('button', { name: 'Remove amount:>50' }).click()
  await expect(rows(page, word)).toHaveCount(2)
  await expect(chips(page)).toHaveCount(1)
  await expect(page).toHaveURL((url) => url.searchParams.get('q') === word)

  await page.goBack()
  await expect(rows(page, word)).toHaveCount(1)
  await expect(chips(page)).toHaveCount(2)
  await page.goForward()
  await expect(rows(page, word)).toHaveCount(2)
})

test('what is typed is in the address, and survives a reload', async ({ api, pageAt, word }) => {
  await api.add([{ description: `Needle ${word}`, amount: '1' }])
  const page = await pageAt(3)
  await page.getByRole('combobox', { name: 'Search expenses' }).fill(word)
  await page.keyboard.press('Enter')
  await expect(rows(page, word)).toHaveCount(1)
  await expect(page).toHaveURL((url) => url.searchParams.get('q') === word)
  await page.reload()
  await expect(rows(page, word)).toHaveCount(1)
  await expect(page.getByText('1 expense', { exact: true })).toBeVisible()
})
