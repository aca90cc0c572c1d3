/** Promise: what one person does at one replica, another sees at another replica, at once and without a reload. */
import { expect, test } from './fixtures.ts'
import { addExpense, choose, edit, rows, searchFor } from './people.ts'

test('an expense is added, edited, deleted and restored before the eyes of another person', async ({ api, pageAt, word }) => {
  const anna = await pageAt(1, searchFor(word))
  const ben = await pageAt(2, searchFor(word))
  await expect(ben.getByText('Nothing found')).toBeVisible()

  await addExpense(anna, { description: `Bread ${word}`, amount: '3.20' })
  await expect(rows(anna, word)).toHaveCount(1)
  await expect(anna.getByText('stored on 3 of 3').first()).toBeVisible()
  await expect(rows(ben, word)).toContainText('3.20')

  const form = await edit(ben, `Bread ${word}`)
  await form.getByLabel('Amount', { exact: true }).fill('4.10')
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(rows(ben, word)).toContainText('4.10')
  await expect(rows(anna, word)).toContainText('4.10')

  await choose(anna, `Bread ${word}`, 'Delete')
  await expect(rows(anna, word)).toHaveCount(0)
  await expect(rows(ben, word)).toHaveCount(0)
  await api.everywhere(word, 0)

  await ben.getByRole('link', { name: 'Trash' }).click()
  await choose(ben, `Bread ${word}`, 'Restore')
  await expect(rows(anna, word)).toContainText('4.10')
  const [stored] = await api.everywhere(word, 1)
  expect(stored).toMatchObject({ description: `Bread ${word}`, amount: { amount: '4.10' } })
})

test('a deletion is undone', async ({ api, pageAt, word }) => {
  await api.add([{ description: `Milk ${word}`, amount: '1.20' }])
  const page = await pageAt(3, searchFor(word))
  await choose(page, `Milk ${word}`, 'Delete')
  await expect(rows(page, word)).toHaveCount(0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(rows(page, word)).toHaveCount(1)
  await api.everywhere(word, 1)
})

test('who edits what somebody else has changed chooses between both versions', async ({ api, pageAt, word }) => {
  const [id = ''] = await api.add([{ description: `Rent ${word}`, amount: '900' }])
  const page = await pageAt(2, searchFor(word))
  const form = await edit(page, `Rent ${word}`)
  await form.getByLabel('Amount', { exact: true }).fill('910')

  await api.update(id, { amount: '920', notes: 'from May on' }, 3)
  await expect(form.getByText('Somebody else has just changed this')).toBeVisible()
  await form.getByRole('button', { name: 'Save' }).click()

  const dialog = page.getByRole('dialog', { name: 'Changed twice' })
  await expect(dialog.getByRole('radio', { name: /Amount, Yours: .*910/ })).toBeVisible()
  await expect(dialog.getByRole('radio', { name: /Amount, Theirs: .*920/ })).toBeVisible()
  await dialog.getByRole('radio', { name: /Amount, Yours/ }).check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()

  await expect(rows(page, word)).toContainText('910')
  await expect.poll(async () => (await api.find(word))[0]).toMatchObject({ amount: { amount: '910.00' }, notes: 'from May on' })
  await api.everywhere(word, 1)
})
