/** Promise: the keyboard does everything, and the focus is where one expects it. */
import { expect, test } from './fixtures.ts'
import { quickAdd, rows, searchFor } from './people.ts'

test('an expense is added without the mouse, and the next one can be typed', async ({ api, pageAt, word }) => {
  const page = await pageAt(1, searchFor(word))
  await expect(page.getByText('Nothing found')).toBeVisible()
  await page.keyboard.press('n')
  const description = quickAdd(page).getByLabel('Description')
  await expect(description).toBeFocused()
  await page.keyboard.type(`Apples ${word}`)
  await page.keyboard.press('Enter')
  await expect(quickAdd(page).getByLabel('Amount', { exact: true })).toBeFocused()
  await page.keyboard.type('2.50+1.25')
  await page.keyboard.press('Enter')
  await expect(rows(page, word)).toContainText('3.75')
  await expect(description).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(description).not.toBeFocused()
  await api.everywhere(word, 1)
})

test('rows are reached and edited with keys', async ({ api, pageAt, word }) => {
  await api.add([
    { description: `One ${word}`, amount: '1', spentOn: '2024-05-02' },
    { description: `Two ${word}`, amount: '2', spentOn: '2024-05-01' },
  ])
  const page = await pageAt(2, searchFor(word))
  await expect(rows(page, word)).toHaveCount(2)
  await page.keyboard.press('j')
  await expect(rows(page, 'One')).toBeFocused()
  await page.keyboard.press('j')
  await expect(rows(page, 'Two')).toBeFocused()
  await page.keyboard.press('k')
  await expect(rows(page, 'One')).toBeFocused()
  await page.keyboard.press('e')
  const form = page.getByRole('group', { name: `Edit One ${word}` })
  await expect(form.getByLabel('Description')).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(form).toBeHidden()
  await expect(rows(page, 'One')).toBeFocused()
})

test('the search, the commands and the help open and give the focus back', async ({ pageAt }) => {
  const page = await pageAt(3)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.keyboard.press('/')
  const search = page.getByRole('combobox', { name: 'Search expenses' })
  await expect(search).toBeFocused()

  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog', { name: 'Commands' })
  await expect(palette.getByPlaceholder('What would you like to do?')).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(palette).toBeHidden()
  await expect(search).toBeFocused()

  await page.keyboard.press('Control+k')
  await page.keyboard.type('overview')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/overview$/)
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible()

  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard' })
  await expect(help).toBeVisible()
  await expect(help.getByText('Open the commands')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(help).toBeHidden()
})

test('keys lead from page to page', async ({ pageAt }) => {
  const page = await pageAt(1)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  for (const [key, name] of Object.entries({ 2: 'Overview', 3: 'Categories', 4: 'Import & export', 5: 'Trash', 6: 'Replicas', 1: 'Expenses' })) {
    await page.keyboard.press(key)
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  }
})
