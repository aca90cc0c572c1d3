/**
 * Promise: every page, light and dark, on a wide screen and on a phone, is accessible and fits its window.
 *
 * A picture of each is left in `screenshots/`, for a person to look at.
 */
import type { Page } from '@playwright/test'
import { join } from 'node:path'
import { expectAccessible } from './accessibility.ts'
import { expect, test } from './fixtures.ts'
import { PAGES } from './pages.ts'
import { fillWithSample } from './sample.ts'

const SCREENS = {
  wide: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
}

/** A month of the sample. */
const MONTH = '2025-11'

for (const [screen, viewport] of Object.entries(SCREENS)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${screen}, ${colorScheme}`, () => {
      test.use({ viewport, colorScheme, contextOptions: { reducedMotion: 'reduce' } })

      for (const { path, name, heading } of PAGES) {
        test(`${name} is accessible and fits`, async ({ cluster, pageAt }) => {
          fillWithSample(cluster)
          const page = await pageAt(1, name === 'overview' ? `${path}?month=${MONTH}` : path)
          await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
          await settled(page)
          await page.screenshot({ path: join(import.meta.dirname, 'screenshots', `${name}-${screen}-${colorScheme}.png`) })
          await expectAccessible(page)
          expect(await page.evaluate(sticksOut), 'what sticks out of the window').toEqual([])
        })
      }
    })
  }
}

/** Waits until what was asked for is there: the page says where it is still loading. */
async function settled(page: Page) {
  await expect(page.getByText('Loading …')).toHaveCount(0)
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
  await page.evaluate(() => document.fonts.ready)
}

/** Elements that reach beyond the window to the right, but for those within something that scrolls. Runs in the page. */
function sticksOut(): string[] {
  const contained = (element: Element | null): boolean =>
    element !== null && (getComputedStyle(element).overflowX !== 'visible' || contained(element.parentElement))
  const found = [...document.body.querySelectorAll('*')].filter((element) => {
    const { right, width } = element.getBoundingClientRect()
    return width > 0 && right > document.documentElement.clientWidth + 0.5 && !contained(element.parentElement)
  })
  return found.map((element) => `${element.tagName.toLowerCase()}.${element.className}`)
}
