import { deepEqual, equal, match } from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import { dialog, hasChromium, launch, passByPasskey, plugIn, signIn, title, visit } from './support/browser.ts'
import type { ConsoleService } from './support/service.ts'
import { BERLIN, LISBON, PASSWORD, startConsole } from './support/service.ts'

describe.skipIf(!hasChromium)('sessions and step-up', () => {
  let service: ConsoleService
  let browser: Browser

  beforeAll(async () => {
    ;[service, browser] = await Promise.all([
      // What the risk score makes of so many browsers is another test's.
      startConsole({ risk: { mode: 'monitor', thresholds: { rapidSessions: 0 } } }),
      launch(),
    ])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })
  const go = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click()
  const rows = (page: Page) =>
    page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Revoke / }) })

  /** Passes the step-up that is asked for now, by a code that is mailed. */
  const passByMail = async (page: Page, email: string) => {
    const asked = dialog(page, 'Verify to continue')
    await asked.getByRole('button', { name: 'Send a code' }).click()
    await asked.getByLabel('Code from the email').fill((await service.mail(email, 'step_up_code')).code ?? '')
    await asked.getByRole('button', { name: 'Verify' }).click()
    await asked.waitFor({ state: 'detached' })
  }

  test('revoking the current session leads to sign-in', async () => {
    const person = await service.signUp('Cur Rent', 'Current')
    const { page, complaints, expectRefusals, close } = await visit(browser, service)
    expectRefusals(401, 428)
    await signIn(page, person.email)
    await title(page, 'Overview').waitFor()
    const { recoveryCodes } = await service.enrol(person)
    await go(page, 'Sessions')
    const current = rows(page).filter({ hasText: 'Current' })
    await current.getByText('Berlin, Germany').waitFor()
    await current.getByText(BERLIN.address).waitFor()
    await current.getByText(/Last seen/).waitFor()
    await current.getByText(/Mozilla/).waitFor()
    await current.getByRole('button', { name: /^Revoke/ }).click()
    await dialog(page, 'Sign out of this session?').getByRole('button', { name: 'Sign out' }).click()
    const asked = dialog(page, 'Verify to continue')
    await asked.getByRole('button', { name: 'Recovery code' }).click()
    await asked.getByLabel('Recovery code').fill(recoveryCodes.pop() ?? '')
    await asked.getByRole('button', { name: 'Verify' }).click()
    await title(page, 'Sign in').waitFor()
    await page.reload()
    await title(page, 'Sign in').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('a passkey is enrolled, signs in, and opens what needs a second factor', async () => {
    const person = await service.signUp('Pass Key', 'Keys')
    const { page, complaints, close } = await visit(browser, service)
    const key = await plugIn(page)
    await signIn(page, person.email)
    await go(page, 'Security settings')
    await page.getByText('No second factor yet').waitFor()
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await dialog(page, 'Add a passkey').getByLabel('Name').fill('Laptop')
    await page.getByRole('button', { name: 'Make passkey' }).click()
    const kept = dialog(page, 'Keep these recovery codes')
    await kept.waitFor()
    equal(await kept.getByRole('listitem').count(), 10)
    // They are shown this one time: neither Escape nor a press beside them takes them away.
    await page.keyboard.press('Escape')
    await kept.getByRole('button', { name: 'I have kept them' }).click()
    await page.getByText('Laptop').waitFor()
    await page.getByText('10 codes left').waitFor()

    // The same passkey in a browser that the service has never seen, as one that is kept in step between devices.
    const elsewhere = await visit(browser, service, { place: LISBON })
    const other = await plugIn(elsewhere.page)
    const { credentials } = await key.cdp.send('WebAuthn.getCredentials', { authenticatorId: key.authenticatorId })
    for (const credential of credentials) {
      await other.cdp.send('WebAuthn.addCredential', { authenticatorId: other.authenticatorId, credential })
    }
    elsewhere.expectRefusals(428)
    await signIn(elsewhere.page, person.email)
    await passByPasskey(elsewhere.page)
    await title(elsewhere.page, 'Overview').waitFor()

    await go(elsewhere.page, 'Security settings')
    await elsewhere.page.getByRole('button', { name: 'Remove Laptop' }).click()
    await dialog(elsewhere.page, 'Remove this factor?').getByRole('button', { name: 'Remove' }).click()
    await passByPasskey(elsewhere.page)
    await elsewhere.page.getByText('No second factor yet').waitFor()
    for (const visitor of [elsewhere, { complaints, close }]) {
      deepEqual(visitor.complaints(), [])
      await visitor.close()
    }
  })

  test('revoking another session ends just that one, at its next call', async () => {
    const person = await service.signUp('Ot Her', 'Others')
    const [here, there, third] = [
      await visit(browser, service),
      await visit(browser, service, { place: LISBON }),
      await visit(browser, service, { place: { address: '62.210.16.61', country: 'FR', city: 'Paris' } }),
    ]
    for (const { page } of [here, there, third]) {
      await signIn(page, person.email)
      await title(page, 'Overview').waitFor()
    }
    await plugIn(here.page)
    await go(here.page, 'Security settings')
    await here.page.getByRole('button', { name: 'Add passkey' }).click()
    await here.page.getByRole('button', { name: 'Make passkey' }).click()
    await here.page.getByRole('button', { name: 'I have kept them' }).click()

    here.expectRefusals(428)
    await go(here.page, 'Sessions')
    await rows(here.page).filter({ hasText: 'Lisbon, Portugal' }).getByRole('button').click()
    await passByPasskey(here.page)
    // The action goes on by itself.
    await here.page.getByText('Session revoked').waitFor()
    await rows(here.page).filter({ hasText: 'Lisbon' }).waitFor({ state: 'detached' })

    there.expectRefusals(401)
    await go(there.page, 'Team')
    await title(there.page, 'Sign in').waitFor()
    await there.page.getByText(/This session was (?:revoked|ended)/).waitFor()
    await go(third.page, 'Team')
    await title(third.page, 'Team').waitFor()

    // The step-up holds for a while: all others go without another one.
    await here.page.getByRole('button', { name: 'Revoke all other sessions' }).click()
    await dialog(here.page, 'Revoke all other sessions?').getByRole('button', { name: 'Revoke them' }).click()
    await passByPasskey(here.page)
    await here.page.getByText(/other sessions? revoked/).waitFor()
    third.expectRefusals(401)
    await go(third.page, 'Audit log')
    await title(third.page, 'Sign in').waitFor()
    for (const visitor of [here, there, third]) {
      deepEqual(visitor.complaints(), [])
      await visitor.close()
    }
  })

  test('the keyboard alone revokes a session', async () => {
    const person = await service.signUp('Key Revoke', 'Keyboard')
    const { secret, recoveryCodes } = await service.enrol(person)
    await service.send('POST', '/auth/login/step-up', {
      stepUpToken: (await service.send('POST', '/auth/login', { email: person.email, password: PASSWORD })).body
        .stepUpToken,
      factor: 'recovery_code',
      code: recoveryCodes.pop(),
    })
    const { page, complaints, expectRefusals, close } = await visit(browser, service)
    expectRefusals(428)
    await signIn(page, person.email)
    await dialog(page, 'Verify to continue').getByRole('button', { name: 'Recovery code' }).click()
    await page.keyboard.type(recoveryCodes.pop() ?? '')
    await page.keyboard.press('Enter')
    await title(page, 'Overview').waitFor()

    // To the page by its name, then to the last row's button by the Tab key alone.
    await page.keyboard.press('Control+k')
    await dialog(page, 'Go to').waitFor()
    await page.keyboard.type('sess')
    await page.keyboard.press('Enter')
    await title(page, 'Sessions').waitFor()
    await rows(page).nth(2).waitFor()
    await page.locator('main').focus()
    for (let pressed = 0; pressed < 20; pressed += 1) {
      await page.keyboard.press('Tab')
      const label = await page.evaluate('document.activeElement.getAttribute("aria-label") ?? ""')
      const inCurrent = await page.evaluate(
        'document.activeElement.closest("li")?.textContent.includes("Current") ?? false',
      )
      if (String(label).startsWith('Revoke ') && inCurrent === false) break
    }
    await page.keyboard.press('Enter')
    await dialog(page, 'Verify to continue').waitFor()
    await page.keyboard.type(totpCode(secret, new Date()))
    await page.keyboard.press('Enter')
    await page.getByText('Session revoked').waitFor()
    await rows(page).nth(2).waitFor({ state: 'detached' })
    // The focus is still somewhere in the page, and not thrown back to its beginning.
    match(String(await page.evaluate('document.activeElement.tagName')), /^(?:BUTTON|SECTION)$/)
    deepEqual(complaints(), [])
    await close()
  })

  test('what is refused of one’s own settings is said at its field, and nothing that was typed is lost', async () => {
    const person = await service.signUp('Set Tings', 'Settings')
    const { page, complaints, expectRefusals, close } = await visit(browser, service)
    expectRefusals(400, 401, 403, 428)
    await signIn(page, person.email)
    await go(page, 'Security settings')
    const invalid = (label: string) => page.getByLabel(label, { exact: true }).and(page.locator('[aria-invalid=true]'))

    await page.getByLabel('New address').fill('nonsense')
    await page.getByRole('button', { name: 'Change address' }).click()
    await invalid('New address').waitFor()
    await page.getByText('Must be one email address.').waitFor()
    equal(await page.getByLabel('New address').inputValue(), 'nonsense')

    await page.getByLabel('Current password', { exact: true }).fill('not what it was at all')
    await page.getByLabel('New password', { exact: true }).fill('seven lamps over water')
    await page.getByRole('button', { name: 'Change password' }).click()
    await passByMail(page, person.email)
    await invalid('Current password').waitFor()
    await page.getByText('That is not your password.').waitFor()
    equal(await page.getByLabel('New password', { exact: true }).inputValue(), 'seven lamps over water')
    await page.getByLabel('Current password', { exact: true }).fill(PASSWORD)
    await page.getByLabel('New password', { exact: true }).fill('short')
    await page.getByRole('button', { name: 'Change password' }).click()
    await invalid('New password').waitFor()
    equal(await page.getByLabel('Current password', { exact: true }).inputValue(), PASSWORD)

    // A code of another moment adds no authenticator app; the right one does, in the same dialog.
    await page.getByRole('button', { name: 'Add authenticator app' }).click()
    const form = dialog(page, 'Add an authenticator app')
    const secret = (await form.getByText(/^(?:[A-Z2-7]{4} )+[A-Z2-7]+$/).innerText()).replaceAll(' ', '')
    await form.getByLabel('Code from the app').fill(totpCode(secret, new Date(Date.now() - 3_600_000)))
    await form.getByRole('button', { name: 'Confirm' }).click()
    await form.getByText('That code is not right.').waitFor()
    await form.getByLabel('Code from the app').fill(totpCode(secret, new Date()))
    await form.getByRole('button', { name: 'Confirm' }).click()
    await dialog(page, 'Keep these recovery codes').getByRole('button', { name: 'I have kept them' }).click()
    await page.getByText('10 codes left').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('two tabs that refresh at once stay signed in', async () => {
    const person = await service.signUp('Two Tabs', 'Tabs')
    const visitor = await visit(browser, service)
    const { page, complaints, close } = visitor
    await signIn(page, person.email)
    await title(page, 'Overview').waitFor()
    const second = await visitor.anotherPage()
    await second.goto('/sessions')
    for (let round = 0; round < 4; round += 1) {
      await Promise.all([page.reload(), second.reload()])
      await Promise.all([title(page, 'Overview').waitFor(), title(second, 'Sessions').waitFor()])
    }
    // Signed out in one is signed out in the other.
    await second.getByRole('button', { name: /Two Tabs/ }).click()
    await second.getByRole('menuitem', { name: 'Sign out' }).click()
    await title(second, 'Sign in').waitFor()
    await title(page, 'Sign in').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('a code by mail is enough for what does not need more, where there is no other factor', async () => {
    const person = await service.signUp('Mai Ler', 'Mailing')
    const { page, complaints, expectRefusals, close } = await visit(browser, service)
    expectRefusals(400, 428)
    await signIn(page, person.email)
    await go(page, 'Sessions')
    await page.getByRole('button', { name: 'Revoke all other sessions' }).click()
    await dialog(page, 'Revoke all other sessions?').getByRole('button', { name: 'Revoke them' }).click()
    const asked = dialog(page, 'Verify to continue')
    await asked.getByRole('button', { name: 'Send a code' }).click()
    const { code } = await service.mail(person.email, 'step_up_code')
    await asked.getByLabel('Code from the email').fill('00000000')
    await asked.getByRole('button', { name: 'Verify' }).click()
    await asked.getByText('That code is not right.').waitFor()
    await asked.getByLabel('Code from the email').fill(code ?? '')
    await asked.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('1 other session revoked').waitFor()
    deepEqual(complaints(), [])
    await close()
  })
})
