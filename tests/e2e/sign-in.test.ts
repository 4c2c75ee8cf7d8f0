import { deepEqual, equal, match } from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Visitor } from './support/browser.ts'
import { dialog, hasChromium, launch, signIn, title, visit } from './support/browser.ts'
import type { ConsoleService } from './support/service.ts'
import { PASSWORD, placeHeaders, startConsole } from './support/service.ts'

describe.skipIf(!hasChromium)('coming in', () => {
  let service: ConsoleService
  let browser: Browser
  const visitors: Visitor[] = []

  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startConsole(), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })
  const arrive = async (): Promise<Visitor> => {
    const visitor = await visit(browser, service)
    visitors.push(visitor)
    return visitor
  }
  const submit = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

  test('a stranger signs a tenant up, is its owner, signs out, and in again', async () => {
    const { page, complaints, close } = await arrive()
    await page.goto('/')
    await title(page, 'Sign in').waitFor()
    await page.getByRole('link', { name: 'Sign up' }).click()
    await page.getByLabel('Name of the tenant').fill('Engines')
    await page.getByLabel('Your name').fill('Ada Lovelace')
    await page.getByLabel('Email').fill('ada@example.com')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await submit(page, 'Sign up')
    await title(page, 'Overview').waitFor()
    await page.getByRole('button', { name: /Ada Lovelace/ }).click()
    await page.getByText('Owner of Engines').waitFor()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await title(page, 'Sign in').waitFor()
    await signIn(page, 'ada@example.com')
    await title(page, 'Overview').waitFor()
    // The cookie alone brings the page back.
    await page.reload()
    await title(page, 'Overview').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('what is refused is said at its field, and nothing that was typed is lost', async () => {
    await service.signUp('Taken', 'Taken')
    const { page, complaints, expectRefusals, close } = await arrive()
    expectRefusals(400, 401, 409)
    await page.goto('/sign-up')
    await page.getByLabel('Name of the tenant').fill('Second')
    await page.getByLabel('Your name').fill('Somebody')
    await page.getByLabel('Email').fill('nonsense')
    await page.getByLabel('Password', { exact: true }).fill('short')
    await submit(page, 'Sign up')
    await page.getByLabel('Email').and(page.locator('[aria-invalid=true]')).waitFor()
    await page.getByText('Must be one email address.').waitFor()
    await page.getByLabel('Email').fill('taken@example.com')
    await submit(page, 'Sign up')
    await page.getByText('The password must have at least 15 characters.').waitFor()
    equal(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true')
    equal(await page.getByLabel('Password', { exact: true }).inputValue(), 'short')
    equal(await page.getByLabel('Name of the tenant').inputValue(), 'Second')

    await signIn(page, 'nobody@example.com')
    await page.getByText('Email or password is not right.').waitFor()
    equal(await page.getByLabel('Email').inputValue(), 'nobody@example.com')
    equal(await page.getByLabel('Password', { exact: true }).inputValue(), PASSWORD)
    deepEqual(complaints(), [])
    await close()
  })

  test('the keyboard alone signs in, with the second factor', async () => {
    const person = await service.signUp('Keya Board', 'Keys')
    const { secret } = await service.enrol(person)
    const { page, complaints, expectRefusals, close } = await arrive()
    expectRefusals(400, 428)
    await page.goto('/sign-in')
    // The first field has the focus.
    await page.getByLabel('Email').waitFor()
    await page.keyboard.type(person.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    const asked = dialog(page, 'Verify to continue')
    await asked.waitFor()
    const verify = asked.getByRole('button', { name: 'Verify' })
    equal(await verify.getAttribute('aria-disabled'), 'true')
    await page.keyboard.type('000000')
    equal(await verify.getAttribute('aria-disabled'), null)
    await page.keyboard.press('Enter')
    // In place: the dialog stays, the field is empty again and has the focus.
    await asked.getByText('That code is not right.').waitFor()
    equal(await asked.getByLabel('One-time code').inputValue(), '')
    await page.keyboard.type(totpCode(secret, new Date()))
    await page.keyboard.press('Enter')
    await title(page, 'Overview').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('escape gives the step-up up, and the form is as it was', async () => {
    const person = await service.signUp('Esca Pe', 'Escape')
    await service.enrol(person)
    const { page, complaints, expectRefusals, close } = await arrive()
    expectRefusals(428)
    await signIn(page, person.email)
    await dialog(page, 'Verify to continue').waitFor()
    await page.keyboard.press('Escape')
    await dialog(page, 'Verify to continue').waitFor({ state: 'detached' })
    equal(await page.getByLabel('Email').inputValue(), person.email)
    equal(await page.getByRole('button', { name: 'Sign in' }).getAttribute('aria-disabled'), null)
    deepEqual(complaints(), [])
    await close()
  })

  test('a member of two tenants chooses one', async () => {
    const [one, two] = [await service.signUp('Uno', 'First tenant'), await service.signUp('Due', 'Second tenant')]
    const { recoveryCodes } = await service.enrol(two)
    await service.open(two, recoveryCodes, 'team_change')
    await service.send(
      'POST',
      '/team/invitations',
      { email: one.email, name: 'Uno', role: 'auditor' },
      { token: two.token },
    )
    const { page, complaints, expectRefusals, close } = await arrive()
    const link = await service.mail(one.email, 'invitation')
    await page.goto(`/accept-invitation#token=${link.token}`)
    await page.getByRole('heading', { name: 'Join Second tenant' }).waitFor()
    // The token does not stay in the address.
    equal(new URL(page.url()).hash, '')
    await page.getByText('You have an account already').waitFor()
    await page.getByLabel('Your password').fill(PASSWORD)
    await submit(page, 'Join')
    await title(page, 'Overview').waitFor()

    expectRefusals(409)
    await page.getByRole('button', { name: /Uno/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await title(page, 'Sign in').waitFor()
    await signIn(page, one.email)
    await title(page, 'Choose a tenant').waitFor()
    await page.getByRole('button', { name: 'First tenant' }).click()
    await title(page, 'Overview').waitFor()
    await page
      .getByRole('link', { name: /First tenant/ })
      .first()
      .waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('an invitation is accepted by whoever is new, and works once', async () => {
    const owner = await service.signUp('Ina Viter', 'Inviting')
    const { recoveryCodes } = await service.enrol(owner)
    await service.open(owner, recoveryCodes, 'team_change')
    const email = 'new.here@example.com'
    await service.send('POST', '/team/invitations', { email, name: 'New Here', role: 'member' }, { token: owner.token })
    const { token } = await service.mail(email, 'invitation')
    const { page, complaints, expectRefusals, close } = await arrive()
    await page.goto(`/accept-invitation#token=${token}`)
    await page.getByText('Ina Viter invites you as').waitFor()
    equal(await page.getByLabel('Your name').inputValue(), 'New Here')
    await page.getByLabel('Choose a password').fill(PASSWORD)
    await submit(page, 'Join')
    // A member sees what is theirs, and nothing of the tenant's.
    await title(page, 'Sessions').waitFor()
    deepEqual(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts(), [
      'Sessions',
      'Security settings',
    ])
    expectRefusals(400)
    await page.goto(`/accept-invitation#token=${token}`)
    await page.getByText('This link does not work').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('a forgotten password is set anew by the link from the mail', async () => {
    const person = await service.signUp('For Getful', 'Forgetting')
    const { page, complaints, expectRefusals, close } = await arrive()
    await page.goto('/sign-in')
    await page.getByRole('link', { name: 'Forgotten your password?' }).click()
    // The page that is left has a field of the same name.
    await title(page, 'Forgotten your password?').waitFor()
    await page.getByLabel('Email').fill(person.email)
    await submit(page, 'Send the link')
    await title(page, 'Look into your mail').waitFor()
    const mail = await service.mail(person.email, 'password_reset')
    await page.goto(`/reset#token=${mail.token}`)
    expectRefusals(400)
    await page.getByLabel('New password').fill('too short')
    await submit(page, 'Set password')
    await page.getByText('The password must have at least 15 characters.').waitFor()
    await page.getByLabel('New password').fill('seven lamps over water')
    await submit(page, 'Set password')
    await title(page, 'Your new password is set').waitFor()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await signIn(page, person.email, 'seven lamps over water')
    await title(page, 'Overview').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('an address that was typed goes along to the form for a new password and back, and is in no address of a page', async () => {
    const email = 'typed.once@example.com'
    const { page, complaints, close } = await arrive()
    // Asked for by a page that needs somebody signed in: that is not forgotten on the way.
    await page.goto('/settings/account')
    await title(page, 'Sign in').waitFor()
    const addresses: string[] = []
    page.on('framenavigated', (frame) => addresses.push(frame.url()))
    page.on('request', (request) => addresses.push(request.url()))
    await page.getByLabel('Email').fill(email)
    await page.getByRole('link', { name: 'Forgotten your password?' }).click()
    await title(page, 'Forgotten your password?').waitFor()
    equal(await page.getByLabel('Email').inputValue(), email)
    await page.getByRole('link', { name: 'Back to sign-in' }).click()
    await title(page, 'Sign in').waitFor()
    equal(await page.getByLabel('Email').inputValue(), email)
    // What is still to be typed has the focus.
    equal(
      await page.getByLabel('Password', { exact: true }).evaluate((field) => field === document.activeElement),
      true,
    )
    await page.getByRole('link', { name: 'Forgotten your password?' }).click()
    await title(page, 'Forgotten your password?').waitFor()
    await submit(page, 'Send the link')
    await title(page, 'Look into your mail').waitFor()
    await page.getByText(email).waitFor()
    await page.getByRole('link', { name: 'Back to sign-in' }).click()
    await title(page, 'Sign in').waitFor()
    equal(await page.getByLabel('Email').inputValue(), email)
    deepEqual(
      addresses.filter((address) => decodeURIComponent(address).includes('typed.once')),
      [],
    )
    equal(addresses.length > 0, true)

    const person = await service.signUp('Come Back', 'Coming back')
    await signIn(page, person.email)
    await title(page, 'Security settings').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('an address is confirmed by a press, and not by opening the link', async () => {
    const person = await service.signUp('Veri Fier', 'Verifying')
    const mail = await service.mail(person.email, 'email_verification')
    match(mail.text, /\/verify-email#token=/)
    const { page, complaints, close } = await arrive()
    await page.goto(`/verify-email#token=${mail.token}`)
    await submit(page, 'Confirm the address')
    await title(page, 'Your address is confirmed').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('a session that looks unusual is held until it is verified, and goes on where it was', async () => {
    const person = await service.signUp('Tra Vel', 'Travelling')
    const { page, context, complaints, expectRefusals, close } = await visit(browser, service)
    await signIn(page, person.email)
    await title(page, 'Overview').waitFor()
    const { secret } = await service.enrol(person)
    // From Berlin to Sydney within a second.
    await context.setExtraHTTPHeaders(
      placeHeaders({ address: '1.128.0.1', country: 'AU', city: 'Sydney', latitude: '-33.87', longitude: '151.21' }),
    )
    expectRefusals(428)
    await page.goto('/team')
    const asked = dialog(page, 'Verify to continue')
    await asked.getByText(/New country/).waitFor()
    await page.keyboard.press('Escape')
    await title(page, 'Your session is held').waitFor()
    await page.getByRole('button', { name: 'Verify' }).click()
    await asked.getByLabel('One-time code').fill(totpCode(secret, new Date()))
    await asked.getByRole('button', { name: 'Verify' }).click()
    await title(page, 'Team').waitFor()
    deepEqual(complaints(), [])
    await close()
  })

  test('without a network it is said plainly, nothing typed is lost, and it goes on by itself', async () => {
    const person = await service.signUp('Off Line', 'Offline')
    const { page, context, close } = await arrive()
    await signIn(page, person.email)
    await title(page, 'Overview').waitFor()
    await page.getByRole('link', { name: 'Security settings' }).click()
    await page.getByLabel('New address').fill('other@example.com')
    await context.setOffline(true)
    await page.getByRole('button', { name: 'Change address' }).click()
    await page.getByText('No connection to the service.').waitFor()
    equal(await page.getByLabel('New address').inputValue(), 'other@example.com')
    await context.setOffline(false)
    await page.getByText('No connection to the service.').waitFor({ state: 'detached' })
    equal(await page.getByLabel('New address').inputValue(), 'other@example.com')
    await close()
  })
})
