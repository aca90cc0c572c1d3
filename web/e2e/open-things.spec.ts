/** Promise: what opens over the pages is accessible, too. */
import { expectAccessible } from './accessibility.ts'
import { expect, test } from './fixtures.ts'
import { edit, quickAdd, searchFor } from './people.ts'

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } })

    test('menus and dialogs of the shell are accessible', async ({ pageAt }) => {
      const page = await pageAt(1)
      await page.keyboard.press('Control+k')
      await expect(page.getByRole('dialog', { name: 'Commands' })).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: /^More/ }).click()
      await expect(page.getByRole('menu')).toBeVisible()
      // A menu belongs to its button, not to a landmark.
      await expectAccessible(page, ['region'])
    })

    test('forms of expenses are accessible', async ({ api, pageAt, word }) => {
      await api.add([{ description: `Soap ${word}`, amount: '2', tags: ['home'], notes: 'a note' }])
      const page = await pageAt(2, searchFor(`${word} amount:>1 date:`))
      await quickAdd(page).getByRole('button', { name: 'Tags and notes' }).click()
      await quickAdd(page).getByLabel('Amount', { exact: true }).fill('1+')
      await quickAdd(page).getByRole('button', { name: 'Add', exact: true }).click()
      await expectAccessible(page)
      await edit(page, `Soap ${word}`)
      await expectAccessible(page)
    })

    test('the preview of an import is accessible', async ({ pageAt, word }) => {
      const page = await pageAt(3, '/transfer')
      const lines = ['Buchungstag;Text;Betrag', `03.04.2024;Seife ${word};-2,50`, `bald;Brot ${word};-1,20`]
      const file = { name: 'bank.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) }
      await page.getByLabel('Choose a file').setInputFiles(file)
      await page.getByRole('button', { name: '1 wrong' }).click()
      await expectAccessible(page)
    })

    test('what is known of one expense on each replica is accessible', async ({ api, pageAt, word }) => {
      const [id = ''] = await api.add([{ description: `Sponge ${word}`, amount: '2' }])
      const page = await pageAt(1, '/replicas')
      await expect(page.getByRole('article', { name: 'Replica 3' })).toContainText('in sync')
      await api.update(id, { amount: '3' })
      await page.getByLabel('Find an expense').fill(word)
      await page.getByRole('option', { name: `Sponge ${word}` }).click()
      await expect(page.getByRole('table', { name: `Sponge ${word}` })).toBeVisible()
      await expectAccessible(page)
    })
  })
}
