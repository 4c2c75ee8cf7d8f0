/**
 * Chromium, and pages of it that are watched: nothing is asked of another host, nothing is refused by the page's own policy, and no
 * error goes unseen.
 *
 * @module
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Page } from 'playwright-core'
import { onTestFailed } from 'vitest'
export { hasChromium, startChromium as launch } from '../../support/chromium.ts'
import type { ConsoleService, Place } from './service.ts'
import { BERLIN, PASSWORD, placeHeaders } from './service.ts'

/** Kept beyond the run, for people to look at. */
const SCREENSHOTS = fileURLToPath(new URL('../../../test-results/screenshots/', import.meta.url))
/** Of every page in every theme they take a minute, and nobody looks at those of an everyday run. */
const wanted = process.env['SALLYPORT_SCREENSHOTS'] === '1'

/** Of a page as it should be, where they are wanted. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (wanted) await keep(page, name)
}

async function keep(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true })
  await page
    .screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' })
    .catch((error) => {
      // A page that is closed has nothing to show.
      if (!name.startsWith('failed/')) throw error
    })
}

/** A browser of one person: its own cookies, its own place in the world. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** What must not have happened. Empty on a good day. */
  complaints(): readonly string[]
  /** Answers with these statuses are what the test is about. */
  expectRefusals(...statuses: readonly number[]): void
  /** Another page of the same browser, watched as well. */
  anotherPage(): Promise<Page>
  close(): Promise<void>
}

export interface VisitOptions extends BrowserContextOptions {
  readonly place?: Place
}

let pages = 0

export async function visit(
  browser: Browser,
  { url }: Pick<ConsoleService, 'url'>,
  { place = BERLIN, ...options }: VisitOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    extraHTTPHeaders: placeHeaders(place),
    ...options,
  })
  context.setDefaultTimeout(15_000)
  const complaints: string[] = []
  const expected = new Set<number>()
  const watch = (page: Page): Page => {
    const number = ++pages
    try {
      onTestFailed(({ task }) => keep(page, `failed/${task.name.replaceAll(/\W+/g, '-')}-${number}`))
    } catch {
      // In a hook there is no test that could fail.
    }
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return
      // Refusals are written there by the browser itself; what was refused is looked at below.
      if (message.text().startsWith('Failed to load resource')) return
      complaints.push(`console: ${message.text()}`)
    })
    page.on('request', (request) => {
      const asked = request.url()
      if (!asked.startsWith(url) && !/^(?:data|blob|about):/.test(asked)) complaints.push(`foreign request: ${asked}`)
    })
    page.on('requestfailed', (request) => {
      // Asked for by a page that was left meanwhile.
      if (request.failure()?.errorText === 'net::ERR_ABORTED') return
      complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`)
    })
    page.on('response', (response) => {
      if (response.status() >= 400 && !expected.has(response.status())) {
        complaints.push(`${response.status()}: ${response.request().method()} ${response.url()}`)
      }
    })
    return page
  }
  return {
    context,
    page: watch(await context.newPage()),
    complaints: () => complaints,
    expectRefusals: (...statuses) => {
      for (const status of statuses) expected.add(status)
    },
    anotherPage: async () => watch(await context.newPage()),
    close: () => context.close(),
  }
}

/** Fills the form in and sends it. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  if (!page.url().endsWith('/sign-in')) await page.goto('/sign-in')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** The heading that the page begins with. */
export function title(page: Page, name: string) {
  return page.getByRole('heading', { level: 1, name, exact: true })
}

export function dialog(page: Page, name: string | RegExp) {
  return page.getByRole('dialog', { name })
}

/** Plugs an authenticator into a page that no person has to touch: it makes passkeys and uses them. */
export async function plugIn(page: Page): Promise<{ readonly cdp: CDPSession; readonly authenticatorId: string }> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { cdp, authenticatorId }
}

/** Passes the step-up that is asked for now, by the passkey that is plugged in. */
export async function passByPasskey(page: Page): Promise<void> {
  const asked = dialog(page, 'Verify to continue')
  await asked.getByRole('button', { name: 'Use passkey' }).click()
  await asked.waitFor({ state: 'detached' })
}
