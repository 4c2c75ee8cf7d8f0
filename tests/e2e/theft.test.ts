import { deepEqual, equal } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { hasChromium, launch, screenshot, signIn, title, visit } from './support/browser.ts'
import type { ConsoleService } from './support/service.ts'
import { placeHeaders, startConsole } from './support/service.ts'

const MINSK = { address: '93.85.84.10', country: 'BY', city: 'Minsk' }

describe.skipIf(!hasChromium)('a stolen session', () => {
  let service: ConsoleService
  let browser: Browser

  beforeAll(async () => {
    ;[service, browser] = await Promise.all([
      // What the score makes of the thief is another test's: here they get as far as they can.
      startConsole({ risk: { mode: 'off' }, retry: { overlap: '1s', unboundWindow: '1s' } }),
      launch(),
    ])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })

  /** The refresh token that a browser holds, as malware on it would read it. */
  const steal = async (context: {
    cookies(): Promise<readonly { name: string; value: string }[]>
  }): Promise<string> => {
    const cookie = (await context.cookies()).find(({ value }) => value.startsWith('sprt_'))
    if (cookie === undefined) throw new Error('the browser holds no refresh token')
    return `${cookie.name}=${cookie.value}`
  }
  const present = (cookie: string) =>
    service.send(
      'POST',
      '/auth/refresh',
      {},
      {
        headers: {
          cookie,
          origin: service.url,
          'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0',
          ...placeHeaders(MINSK),
        },
      },
    )

  test('bound to the key of its browser, is worth nothing elsewhere, and the browser goes on', async () => {
    const person = await service.signUp('Bo Und', 'Bound')
    const { page, context, complaints, close } = await visit(browser, service)
    await signIn(page, person.email)
    await title(page, 'Overview').waitFor()
    equal((await present(await steal(context))).body.error, 'INVALID_DPOP_PROOF')
    await page.reload()
    await title(page, 'Overview').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('used elsewhere, ends for both, and is an alert with a case file', async () => {
    const owner = await service.signUp('Olive Owner', 'Robbed')
    const { recoveryCodes } = await service.enrol(owner)
    await service.open(owner, recoveryCodes, 'team_change')
    const victim = await service.join(owner, 'Vic Tim', 'member')

    // A browser that can keep no key: its session is not bound to one.
    const theirs = await visit(browser, service)
    await theirs.page.addInitScript('Object.defineProperty(window, "indexedDB", { value: undefined })')
    await signIn(theirs.page, victim.email)
    await title(theirs.page, 'Sessions').waitFor()
    const stolen = await steal(theirs.context)
    // The thief is first; the browser comes back later, with what is spent by then.
    const taken = await present(stolen)
    equal(taken.status, 200)
    const thief = { token: taken.body.accessToken as string, place: MINSK }
    await service.send('POST', '/auth/email', { email: 'thief@example.com' }, thief)
    await sleep(1500)
    theirs.expectRefusals(401)
    await theirs.page.reload()
    await title(theirs.page, 'Sign in').waitFor()
    await theirs.page.getByText(/used from two places/).waitFor()
    equal((await service.send('GET', '/auth/me', undefined, thief)).status, 401)

    const admin = await visit(browser, service)
    admin.expectRefusals(428)
    await signIn(admin.page, owner.email)
    await admin.page.getByRole('button', { name: 'Recovery code' }).click()
    await admin.page.getByLabel('Recovery code').fill(recoveryCodes.pop() ?? '')
    await admin.page.getByRole('button', { name: 'Verify' }).click()
    await title(admin.page, 'Overview').waitFor()
    await admin.page.getByRole('link', { name: /Stolen token used/ }).click()
    await title(admin.page, 'Stolen token used: Vic Tim').waitFor()
    await admin.page.getByRole('heading', { name: /Berlin, Germany/ }).waitFor()
    await admin.page.getByRole('heading', { name: /Minsk, Belarus.*Somebody else/ }).waitFor()
    await admin.page.getByText('Access tokens from before are refused everywhere').waitFor()
    await screenshot(admin.page, 'case-file')
    // What to do next leads on: to the rule that keeps the thief out, filled in.
    await admin.page.getByRole('link', { name: 'Add rule' }).click()
    const form = admin.page.getByRole('dialog', { name: 'Add an IP rule' })
    equal(await form.getByLabel('Address or network').inputValue(), MINSK.address)
    equal(await form.getByLabel('Deny').isChecked(), true)
    for (const visitor of [theirs, admin]) {
      deepEqual(visitor.complaints(), [])
      await visitor.close()
    }
  })
})
