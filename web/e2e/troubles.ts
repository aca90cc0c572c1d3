/** What goes wrong in a page without anybody seeing it: errors on the console, uncaught ones, refusals of the policy. */
import type { BrowserContext, Page } from '@playwright/test'

/**
 * How Chromium speaks of an address that does not answer; and of a replica that has just started and has not heard of the
 * others yet, so that it does not let their pages in.
 */
const NETWORK = /net::ERR_|WebSocket connection to .* failed|Failed to load resource|blocked by CORS policy/

export class Troubles {
  private readonly seen: string[] = []
  private networkAllowed = false

  /** Listens to every page of the context. */
  async watch(context: BrowserContext) {
    await context.exposeFunction('reportPolicyViolation', (what: string) => this.seen.push(`policy: ${what}`))
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        const report = (window as unknown as Record<string, (what: string) => void>)['reportPolicyViolation']
        report?.(`${violatedDirective} forbids ${blockedURI}`)
      })
    })
    context.on('page', (page: Page) => {
      page.on('console', (message) => {
        if (message.type() === 'error') this.seen.push(`console: ${message.text()} (${message.location().url})`)
      })
      page.on('pageerror', (error) => this.seen.push(`uncaught: ${error.stack ?? error.message}`))
    })
  }

  /** For tests that take the network or a replica away. */
  allowNetworkErrors() {
    this.networkAllowed = true
  }

  all(): string[] {
    return this.seen.filter((each) => !(this.networkAllowed && NETWORK.test(each)))
  }
}
