/**
 * A real Chromium, where the machine has one, and pages in it that the client is used from.
 *
 * @module
 */

import { existsSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

/** The one without a window of its own does the same work for the same pages, and starts and draws in two thirds of the time. */
const CHROMIUM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path))

/** For `describe.skipIf(!hasChromium)`. */
export const hasChromium: boolean = CHROMIUM !== undefined

/** @param flags More of the command line. */
export async function startChromium(flags: readonly string[] = []): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('no Chromium on this machine')
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-gpu',
      '--disable-quic',
      // A test's pages are all in the background but one.
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
      ...flags,
    ],
  })
}

/** A page with a client in it, as `client`; what it is told is in `ended` and `demands`. */
export interface Tab {
  readonly page: Page
  /** Runs an expression in the page. It resolves to its value, or to `{ code }` where it rejects. */
  run<T = unknown>(expression: string): Promise<T>
  /** Goes to the same address anew. */
  reload(): Promise<void>
}

/** @param options Of `createClient`, as an expression. */
export async function openTab(context: BrowserContext, url: string, options = '{}'): Promise<Tab> {
  const page = await context.newPage()
  const begin = async () => {
    await page.evaluate(`(() => {
      window.ended = []
      window.demands = []
      window.client = sallyport.createClient({
        onSignedOut: ({ reason }) => ended.push(reason),
        onStepUp: (demand) => { demands.push(demand) },
        ...${options},
      })
    })()`)
  }
  await page.goto(url)
  await begin()
  return {
    page,
    run: <T>(expression: string) =>
      page.evaluate(`(async () => ${expression})().catch((error) => {
        if (!(error instanceof sallyport.SallyportError)) throw error
        return { code: error.code, status: error.status, facts: error.facts }
      })`) as Promise<T>,
    async reload() {
      await page.reload()
      await begin()
    },
  }
}
