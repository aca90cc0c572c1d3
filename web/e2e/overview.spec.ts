/** Promise: the overview says exactly what was added, in every currency apart, and leads to the rows. */
import { today } from './api.ts'
import { expect, test } from './fixtures.ts'
import { rows } from './people.ts'

/** A currency that no other test adds in this month. */
const CURRENCY = 'NOK'

test('the figures of a month are those of its expenses, and follow them', async ({ api, pageAt, word }) => {
  const [food, rent] = [await api.addCategory(`Food ${word}`), await api.addCategory(`Rent ${word}`)]
  const month = today().slice(0, 7)
  const spentOn = `${month}-01`
  const expense = (description: string, amount: string, categoryId: string) =>
    ({ description: `${description} ${word}`, amount, categoryId, spentOn, currency: CURRENCY })
  await api.add([expense('Bread', '12.35', food), expense('Fish', '107.70', food), expense('March', '900.00', rent)])

  const page = await pageAt(1, `/overview?month=${month}&currency=${CURRENCY}`)
  const total = page.getByTestId('overview-total')
  await expect(total).toContainText('1,020.05')

  const sheet = page.getByRole('region', { name: 'By category' })
  await sheet.getByRole('button', { name: 'By category: As a table' }).click()
  const table = sheet.getByRole('table')
  await expect(table.getByRole('row').filter({ hasText: `Food ${word}` })).toContainText(/2.*120\.05/)
  await expect(table.getByRole('row').filter({ hasText: `Rent ${word}` })).toContainText(/1.*900\.00/)

  // Somebody else, at another replica.
  await api.add([expense('Refund', '-20.05', rent)], 3)
  await expect(total).toContainText('1,000.00')
  await expect(table.getByRole('row').filter({ hasText: `Rent ${word}` })).toContainText(/2.*879\.95/)

  await table.getByRole('link', { name: `Food ${word}` }).click()
  await expect(page).toHaveURL((url) => url.pathname === '/' && url.searchParams.has('q'))
  await expect(rows(page, word)).toHaveCount(2)
  await expect(page.getByText('2 expenses', { exact: true })).toBeVisible()
  await page.goBack()
  await expect(total).toContainText('1,000.00')
})

test('charts are drawn', async ({ api, pageAt, word }) => {
  await api.add([{ description: `Skis ${word}`, amount: '250', currency: 'SEK' }])
  const page = await pageAt(2, `/overview?month=${today().slice(0, 7)}&currency=SEK`)
  for (const name of [/^Ring of the spending/, /^Lines of the spending/, /^Stacked bars/]) {
    const chart = page.getByRole('img', { name })
    await chart.scrollIntoViewIfNeeded()
    await expect(chart.locator('canvas')).toBeVisible()
  }
})
