import { deepEqual, ok } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Demo, DemoPerson } from '../../packages/server/src/demo/seed.ts'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Visitor } from './support/browser.ts'
import { dialog, hasChromium, launch, screenshot, signIn, title, visit } from './support/browser.ts'
import type { ConsoleService } from './support/service.ts'
import { startConsole } from './support/service.ts'

const THEMES = ['light', 'dark'] as const
/** The theme changes colours alone: what cannot have changed is not looked at again. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block']
const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 360, height: 740 }

/** Of everything that moves by itself while a page loads; what a person does with it is left out. */
const WATCH_SHIFTS = `
  window.shifts = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) window.shifts.push([entry.value, entry.sources.map(({ node }) => node?.className ?? node?.nodeName)])
    }
  }).observe({ type: 'layout-shift', buffered: true })`

/** The machine itself: of no place, so that nothing is unusual about it. */
const HERE = { address: '127.0.0.1' }

/** Who is in the demo, kept beside its database. */
async function demoOf({ folder }: ConsoleService): Promise<Demo> {
  return JSON.parse(await readFile(join(folder, 'data/demo.json'), 'utf8')) as Demo
}

describe.skipIf(!hasChromium)('every page', () => {
  let service: ConsoleService
  let browser: Browser
  let member: DemoPerson
  let incident: string
  let memberPage: string
  let admin: Visitor

  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startConsole({}, { demo: true }), launch()])
    const { people } = await demoOf(service)
    const owner = people.find(({ role }) => role === 'owner') as DemoPerson
    member = people.find(({ role, totpSecret }) => role === 'member' && totpSecret === undefined) as DemoPerson
    // As from the machine itself: the development outbox is for that alone.
    admin = await visit(browser, service, { place: HERE, reducedMotion: 'reduce' })
    const { page } = admin
    await page.addInitScript(WATCH_SHIFTS)
    admin.expectRefusals(428)
    await signIn(page, owner.email, owner.password)
    await dialog(page, 'Verify to continue').waitFor()
    await inBothThemes(page, 'dialog-step-up')
    await page.getByLabel('One-time code').fill(totpCode(owner.totpSecret ?? '', new Date()))
    await page.getByRole('button', { name: 'Verify' }).click()
    await title(page, 'Overview').waitFor()
    ;[incident, memberPage] = [await firstLink('/incidents', '/incidents/'), await firstLink('/team', '/team/')]
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })

  const firstLink = async (path: string, under: string): Promise<string> => {
    const link = admin.page.locator(`main a[href^="${under}"]`).first()
    await admin.page.goto(path)
    return (await link.getAttribute('href')) ?? ''
  }
  /** Everything that was asked for is there, and has been for a moment: what moves late moves by then. */
  const settle = async (page: Page): Promise<void> => {
    await page.locator('h1').first().waitFor()
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
    await page.evaluate('document.fonts.ready')
    await page.waitForTimeout(150)
  }
  const hideScrollbars = async (page: Page, hidden: boolean): Promise<void> => {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Emulation.setScrollbarsHidden', { hidden })
    await cdp.detach()
  }
  const setTheme = (page: Page, theme: string) => page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
  const violations = async (page: Page, rules: 'all' | 'of colour' = 'all'): Promise<string[]> => {
    // Within the page: no page of ours has a frame, for which axe would open a second page and load itself there again.
    const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode()
    if (rules === 'of colour') axe.withRules(OF_COLOUR)
    else axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    const { violations: found } = await axe.analyze()
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    )
  }
  const shifted = async (page: Page): Promise<number> => {
    const shifts = (await page.evaluate('window.shifts')) as readonly [number, readonly string[]][]
    const sum = shifts.reduce((total, [value]) => total + value, 0)
    if (sum >= 0.01) console.log(page.url(), JSON.stringify(shifts))
    return sum
  }

  async function inBothThemes(page: Page, name: string): Promise<void> {
    for (const [at, theme] of THEMES.entries()) {
      await setTheme(page, theme)
      deepEqual(await violations(page, at === 0 ? 'all' : 'of colour'), [], `${name}, ${theme}`)
      await screenshot(page, `${name}-1280-${theme}`)
    }
  }

  /** All that holds for a page, whatever is on it. */
  async function check(page: Page, path: string, name: string): Promise<void> {
    await hideScrollbars(page, false)
    await page.setViewportSize(WIDE)
    await page.goto(path)
    await settle(page)
    ok((await shifted(page)) < 0.01, `${name}: nothing moves while it loads`)
    await inBothThemes(page, name)
    // Where screens are narrow, scroll bars lie over the page.
    await hideScrollbars(page, true)
    await page.setViewportSize(NARROW)
    await page.goto(path)
    await settle(page)
    ok((await shifted(page)) < 0.01, `${name} at 360: nothing moves while it loads`)
    const beyond = Number(
      await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    )
    ok(beyond <= 0, `${name} at 360: ${beyond} px stand out`)
    await setTheme(page, 'light')
    deepEqual(await violations(page), [], `${name} at 360`)
    await screenshot(page, `${name}-360-light`)
  }

  const GUESTS: readonly (readonly [path: string, name: string])[] = [
    ['/sign-in', 'sign-in'],
    ['/sign-up', 'sign-up'],
    ['/forgot-password', 'forgot-password'],
    ['/reset#token=abc', 'reset-password'],
    ['/verify-email#token=abc', 'verify-email'],
    ['/accept-invitation', 'invitation-used'],
  ]
  test('for guests is accessible, still while it loads, usable at 360 px, and asks no other host', async () => {
    const { page, complaints, close } = await visit(browser, service, { reducedMotion: 'reduce' })
    await page.addInitScript(WATCH_SHIFTS)
    for (const [path, name] of GUESTS) await check(page, path, name)
    deepEqual(complaints(), [])
    await close()
  })

  const PAGES: readonly (readonly [path: () => string, name: string])[] = [
    [() => '/overview', 'overview'],
    [() => '/incidents', 'incidents'],
    [() => incident, 'incident'],
    [() => '/audit', 'audit-log'],
    [() => '/compliance', 'compliance'],
    [() => '/compliance/exports', 'exports'],
    [() => '/team', 'team'],
    [() => memberPage, 'member'],
    [() => '/ip-rules', 'ip-rules'],
    [() => '/impersonations', 'impersonations'],
    [() => '/settings/tenant', 'tenant-settings'],
    [() => '/sessions', 'sessions'],
    [() => '/settings/account', 'security-settings'],
    [() => '/outbox', 'outbox'],
    [() => '/nowhere', 'not-found'],
  ]
  test.each(PAGES)(
    'is accessible, still while it loads, usable at 360 px, and asks no other host (%#)',
    async (path, name) => {
      const { page, complaints } = admin
      await check(page, path(), name)
      deepEqual(complaints(), [])
    },
  )

  const press = (name: string | RegExp) => admin.page.getByRole('button', { name }).first().click()
  const choose = async (item: RegExp) => {
    await press(`What can be done with ${member.name}`)
    await admin.page.getByRole('menuitem', { name: item }).click()
  }
  const DIALOGS: readonly (readonly [path: string, open: () => Promise<void>, name: string])[] = [
    ['/team', () => press('Invite'), 'invite'],
    ['/team', () => choose(/^Role and permissions/), 'access'],
    ['/team', () => choose(/^Act as/), 'impersonate'],
    ['/team', () => choose(/^Force out/), 'force-out'],
    ['/ip-rules', () => press('Add rule'), 'ip-rule'],
    ['/settings/account', () => press('Add passkey'), 'add-passkey'],
    ['/sessions', () => admin.page.keyboard.press('Control+k'), 'go-to'],
  ]
  test('holds for what lies over the pages too', async () => {
    const { page, complaints } = admin
    for (const [path, open, name] of DIALOGS) {
      await page.setViewportSize(WIDE)
      await page.goto(path)
      await settle(page)
      await open()
      await page.getByRole('dialog').waitFor()
      await inBothThemes(page, `dialog-${name}`)
      await page.setViewportSize(NARROW)
      const box = await page.getByRole('dialog').boundingBox()
      ok(box !== null && box.x >= 0 && box.x + box.width <= NARROW.width, `${name} fits into 360 px`)
      deepEqual(await violations(page), [], `${name} at 360`)
      await screenshot(page, `dialog-${name}-360-dark`)
    }
    deepEqual(complaints(), [])
  })

  test('shows something within a second', async () => {
    const { page } = admin
    await page.setViewportSize(WIDE)
    const times: number[] = []
    for (let run = 0; run < 3; run += 1) {
      await page.goto('/overview')
      await title(page, 'Overview').waitFor()
      times.push(Number(await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime')))
    }
    // The quickest of three: the others tell of the machine.
    ok(Math.min(...times) < 1000, `first contentful paint after ${times.map(Math.round).join(', ')} ms`)
  })

  test('says what it is for to whoever may not see it', async () => {
    const { page, complaints, close } = await visit(browser, service, { place: HERE })
    await signIn(page, member.email, member.password)
    await title(page, 'Sessions').waitFor()
    await page.goto('/audit')
    await page.getByText('You may not see this page').waitFor()
    // A page that is not for somebody asks for nothing, so that nothing is refused.
    deepEqual(await violations(page), [])
    deepEqual(complaints(), [])
    await close()
  })
})
