/** Promise: categories are added, renamed, coloured and merged in place, and everybody sees it at once. */
import type { Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'
import { rows, searchFor } from './people.ts'

function category(page: Page, name: string) {
  return page.getByRole('list', { name: 'Categories' }).getByRole('listitem').filter({ hasText: name })
}

test('a category is added, renamed and coloured before the eyes of another person', async ({ api, pageAt, word }) => {
  const anna = await pageAt(1, '/categories')
  const ben = await pageAt(3, '/categories')
  await anna.getByLabel('Add a category').fill(`Toys ${word}`)
  await anna.keyboard.press('Enter')
  await expect(category(anna, `Toys ${word}`)).toBeVisible()
  await expect(category(ben, `Toys ${word}`)).toBeVisible()

  await ben.getByRole('button', { name: `Rename Toys ${word}` }).click()
  await ben.getByRole('textbox', { name: `Rename Toys ${word}` }).fill(`Games ${word}`)
  await ben.keyboard.press('Enter')
  await expect(category(ben, `Games ${word}`)).toBeVisible()
  await expect(category(anna, `Games ${word}`)).toBeVisible()
  await expect(category(anna, `Toys ${word}`)).toHaveCount(0)

  const swatch = (page: Page) => page.getByRole('button', { name: `Colour of Games ${word}` }).locator('span')
  await anna.getByRole('button', { name: `Colour of Games ${word}` }).click()
  const colour = anna.getByRole('button', { name: 'Colour 3', exact: true })
  const chosen = await colour.evaluate((element) => getComputedStyle(element).backgroundColor)
  await colour.click()
  await expect(swatch(anna)).toHaveCSS('background-color', chosen)
  await expect(swatch(ben)).toHaveCSS('background-color', chosen)
  const stored = (await api.categories(2)).find(({ name }) => name === `Games ${word}`)
  expect(stored?.color).toMatch(/^#[0-9a-f]{6}$/)
})

test('a name that is there already is refused, and leads to a merge', async ({ api, pageAt, word }) => {
  const [cinema, film] = [await api.addCategory(`Cinema ${word}`), await api.addCategory(`Film ${word}`)]
  await api.add([
    { description: `Popcorn ${word}`, amount: '6', categoryId: cinema },
    { description: `Ticket ${word}`, amount: '12', categoryId: film },
  ])
  const page = await pageAt(2, '/categories')
  await page.getByLabel('Add a category').fill(`cinema ${word}`)
  await page.keyboard.press('Enter')
  await expect(page.getByText('is there already')).toBeVisible()

  await page.getByRole('button', { name: `Merge Film ${word} into another category` }).click()
  const dialog = page.getByRole('dialog', { name: `Merge Film ${word}` })
  await dialog.getByLabel('Into').selectOption({ label: `Cinema ${word}` })
  await expect(dialog.getByText('Its 1 expense moves')).toBeVisible()
  await dialog.getByRole('button', { name: 'Merge' }).click()
  await expect(category(page, `Film ${word}`)).toHaveCount(0)
  await expect(category(page, `Cinema ${word}`)).toContainText('2 expenses')

  for (const stored of await api.everywhere(word, 2)) expect(stored.category?.name).toBe(`Cinema ${word}`)
  const list = await pageAt(1, searchFor(`cat:"Cinema ${word}"`))
  await expect(rows(list, word)).toHaveCount(2)
})

test('a merge is seen in a list that is open elsewhere', async ({ api, pageAt, word }) => {
  const [from, into] = [await api.addCategory(`Bus ${word}`), await api.addCategory(`Travel ${word}`)]
  await api.add([{ description: `Fare ${word}`, amount: '3', categoryId: from }])
  const list = await pageAt(3, searchFor(word))
  await expect(rows(list, 'Fare')).toContainText(`Bus ${word}`)
  await api.mergeCategory(from, into)
  await expect(rows(list, 'Fare')).toContainText(`Travel ${word}`)
})
