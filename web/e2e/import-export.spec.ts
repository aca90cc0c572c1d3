/** Promise: what is imported is there exactly, once; what is exported is what was imported. */
import type { Page } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { expect, test } from './fixtures.ts'

const HEADER = 'date,description,amount,currency,category,notes,tags'

async function give(page: Page, name: string, lines: string[]) {
  const content = Buffer.from(`${[HEADER, ...lines].join('\n')}\n`)
  await page.getByLabel('Choose a file').setInputFiles({ name, mimeType: 'text/csv', buffer: content })
}

async function exported(page: Page, format: 'CSV' | 'JSON'): Promise<string> {
  await page.getByRole('radio', { name: format }).check()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: `Export as ${format}` }).click()
  return readFileSync(await (await download).path(), 'utf8')
}

test('a file is imported but for its wrong rows, adds nothing the second time, and comes out as it went in', async ({ api, pageAt, word }) => {
  const good = [
    `2024-03-01,Novel ${word},12.90,EUR,Books ${word},"for Ida, from us",gift;paper`,
    `2024-03-02,Müsli ${word},4.05,EUR,,,`,
    // Real twins: both are meant.
    `2024-03-02,Müsli ${word},4.05,EUR,,,`,
    `2024-03-03,Ramen ${word},980,JPY,,,`,
    `2024-03-04,Deposit ${word},-25.00,EUR,,,`,
  ]
  const wrong = [`someday,Fog ${word},1.00,EUR,,,`, `2024-03-05,Half a cent ${word},1.005,EUR,,,`]
  const page = await pageAt(1, '/transfer')
  await give(page, `${word}.csv`, [...good, ...wrong])

  const preview = page.getByRole('region', { name: 'What will be imported' })
  await preview.getByRole('button', { name: '2 wrong' }).click()
  const reasons = preview.getByRole('region', { name: '2 wrong' })
  await expect(reasons.getByText('“someday” is not a date')).toHaveCSS('color', 'rgb(173, 34, 24)')
  await expect(reasons.getByText('1.005 has more decimals than the currency.')).toBeVisible()
  await preview.getByRole('button', { name: 'Import 5 rows' }).click()
  await expect(page.getByText(`Imported ${word}.csv`)).toBeVisible()
  const stored = await api.everywhere(word, good.length)
  expect(stored.find(({ description }) => description.startsWith('Novel'))).toMatchObject({
    amount: { amount: '12.90', currency: 'EUR' },
    category: { name: `Books ${word}` },
    notes: 'for Ida, from us',
    tags: ['gift', 'paper'],
  })

  const again = await pageAt(3, '/transfer')
  await give(again, `${word}.csv`, [...good, ...wrong])
  await expect(again.getByRole('button', { name: '5 there already' })).toBeVisible()
  await expect(again.getByRole('button', { name: 'Nothing to import' })).toBeDisabled()
  expect(await api.find(word)).toHaveLength(good.length)

  const out = await pageAt(2, `/transfer?q=${word}`)
  const [header, ...lines] = (await exported(out, 'CSV')).trim().split('\n')
  expect(header).toBe(HEADER)
  expect(lines.toSorted()).toEqual(good.toSorted())
  const data = JSON.parse(await exported(out, 'JSON')) as { description: string }[]
  expect(data.map(({ description }) => description).toSorted()).toEqual(stored.map(({ description }) => description).toSorted())
})

test('an export has every expense that is searched for, and no other', async ({ api, pageAt, word }) => {
  const count = 230
  await api.add(Array.from({ length: count }, (_, index) => ({ description: `Row ${index} ${word}`, amount: '1.10', tags: [word] })))
  await api.add([{ description: `Not this one ${word}`, amount: '1.10' }])
  const page = await pageAt(2, `/transfer?q=${encodeURIComponent(`tag:${word}`)}`)
  const lines = (await exported(page, 'CSV')).trim().split('\n').slice(1)
  expect(new Set(lines).size).toBe(count)
})

test('an import is undone as a whole', async ({ api, pageAt, word }) => {
  await api.add([{ description: `Before ${word}`, amount: '1' }])
  const page = await pageAt(1, '/transfer')
  await give(page, `${word}.csv`, [`2024-01-01,One ${word},1,EUR,,,`, `2024-01-02,Two ${word},2,EUR,,,`])
  await page.getByRole('button', { name: 'Import 2 rows' }).click()
  await api.everywhere(word, 3)
  await page.getByRole('button', { name: 'Undo this import' }).click()
  await page.getByRole('dialog', { name: 'Undo this import?' }).getByRole('button', { name: 'Undo this import' }).click()
  const [left] = await api.everywhere(word, 1)
  expect(left).toMatchObject({ description: `Before ${word}` })
})
