/** What a person does on the page, by the names that are read out. */
import { expect, type Locator, type Page } from '@playwright/test'

/** Everything of this word in the list. */
export function searchFor(query: string): string {
  return `/?q=${encodeURIComponent(query)}`
}

/** The rows of the list in which that text stands. */
export function rows(page: Page, text: string): Locator {
  return page.getByRole('grid').getByRole('row').filter({ hasText: text })
}

export function quickAdd(page: Page): Locator {
  return page.getByRole('region', { name: 'New expense' })
}

/** Types an expense, and does not add it yet. */
export async function typeExpense(page: Page, { description, amount }: { description: string; amount: string }) {
  const form = quickAdd(page)
  await form.getByLabel('Description').fill(description)
  await form.getByLabel('Amount', { exact: true }).fill(amount)
}

export async function pressAdd(page: Page) {
  await quickAdd(page).getByRole('button', { name: 'Add', exact: true }).click()
}

export async function addExpense(page: Page, expense: { description: string; amount: string }) {
  await typeExpense(page, expense)
  await pressAdd(page)
}

/** Chooses from the menu of the row. */
export async function choose(page: Page, description: string, action: string) {
  await page.getByRole('button', { name: `Actions for ${description}` }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

/** Opens the row to be edited, and gives its form. */
export async function edit(page: Page, description: string): Promise<Locator> {
  await choose(page, description, 'Edit')
  const form = page.getByRole('group', { name: `Edit ${description}` })
  await expect(form).toBeVisible()
  return form
}

/** The line that says how it stands with the replicas. */
export function connectionLine(page: Page): Locator {
  return page.getByRole('main').getByRole('status').first()
}

/** Waits until the service worker has everything that the page needs, and serves it. */
export async function kept(page: Page) {
  await page.evaluate(async () => {
    const { serviceWorker } = navigator
    await serviceWorker.ready
    if (serviceWorker.controller) return
    await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve, { once: true }))
  })
}
