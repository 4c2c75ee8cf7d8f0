import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Visitor } from './support/browser.ts'
import {
  dialog,
  hasChromium,
  launch,
  passByPasskey,
  plugIn,
  screenshot,
  signIn,
  title,
  visit,
} from './support/browser.ts'
import type { ConsoleService, Person } from './support/service.ts'
import { BERLIN, LISBON, PASSWORD, startConsole } from './support/service.ts'

describe.skipIf(!hasChromium)('administration', () => {
  let service: ConsoleService
  let browser: Browser
  let owner: Person
  let member: Person
  let visitor: Visitor
  let page: Page

  /** An owner with a passkey in their browser, and a member who is signed in somewhere. */
  beforeAll(async () => {
    ;[service, browser] = await Promise.all([
      startConsole({ risk: { mode: 'monitor', thresholds: { rapidSessions: 0 } } }),
      launch(),
    ])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })
  let made = 0
  beforeEach(async () => {
    owner = await service.signUp('Olive Owner', `Tenant ${++made}`)
    visitor = await visit(browser, service)
    page = visitor.page
    visitor.expectRefusals(428)
    await plugIn(page)
    await signIn(page, owner.email)
    await go('Security settings')
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await page.getByRole('button', { name: 'Make passkey' }).click()
    const kept = dialog(page, 'Keep these recovery codes')
    await kept.waitFor()
    const codes = await kept.getByRole('listitem').allInnerTexts()
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await service.open(owner, codes, 'team_change')
    member = await service.join(owner, 'Mel Member', 'member')
  })
  afterEach(async () => {
    await visitor.close()
    deepEqual(visitor.complaints(), [])
  })
  const go = (name: string) => page.getByRole('link', { name, exact: true }).click()
  const row = (text: string) => page.getByRole('listitem').filter({ hasText: text })
  const choose = async (name: string, item: string | RegExp) => {
    await page.getByRole('button', { name: `What can be done with ${name}` }).click()
    await page.getByRole('menuitem', { name: item }).click()
  }
  /** The actions of the log's first page with their outcomes, newest first. */
  const logged = async (): Promise<readonly string[]> => {
    await go('Audit log')
    const rows = page.getByRole('row').filter({ has: page.getByRole('button', { name: /^Details of/ }) })
    await rows.first().waitFor()
    const found: string[] = []
    for (const one of await rows.all()) {
      const name = await one.getByRole('button').getAttribute('aria-label')
      const failed = await one.getByRole('img', { name: 'Refused' }).count()
      found.push(`${name?.replace('Details of ', '')}${failed > 0 ? ': refused' : ''}`)
    }
    return found
  }

  test('a member is invited, changed, disabled and removed, each after a step-up and on record', async () => {
    await go('Team')
    await page.getByRole('button', { name: 'Invite' }).click()
    const form = dialog(page, 'Invite somebody')
    visitor.expectRefusals(400)
    await form.getByLabel('Email').fill('nonsense')
    await form.getByLabel('Name').fill('Gus Guest')
    await form.getByLabel('Role').selectOption('auditor')
    await form.getByRole('button', { name: 'Send invitation' }).click()
    await form.getByText('Must be one email address.').waitFor()
    await form.getByLabel('Email').fill('gus@example.com')
    let sent = 0
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/team/invitations')) sent += 1
    })
    await form.getByRole('button', { name: 'Send invitation' }).dblclick()
    // The form waits beneath the question, and goes on by itself.
    await passByPasskey(page)
    await page.getByText('Invitation sent to gus@example.com').waitFor()
    // Pressed twice, it was asked for once: refused, and then repeated after the step-up.
    equal(sent, 2)
    await row('gus@example.com').waitFor()
    await row('gus@example.com').getByRole('button', { name: 'Withdraw' }).click()
    await row('gus@example.com').waitFor({ state: 'detached' })

    await choose('Mel Member', 'Role and permissions…')
    const access = dialog(page, 'Access of Mel Member')
    await access.getByLabel('Role').selectOption('auditor')
    await access.getByLabel('Change the team').check()
    await access.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Mel Member is auditor now').waitFor()
    await row('Mel Member').getByText('+1 permission').waitFor()

    await choose('Mel Member', 'Disable…')
    await dialog(page, 'Disable Mel Member?').getByRole('button', { name: 'Disable' }).click()
    await row('Mel Member').getByText('Disabled').waitFor()
    equal((await service.send('GET', '/auth/me', undefined, { token: member.token })).status, 401)
    await choose('Mel Member', 'Remove…')
    await dialog(page, 'Remove Mel Member?').getByRole('button', { name: 'Remove' }).click()
    await row('Mel Member').waitFor({ state: 'detached' })

    const actions = await logged()
    for (const action of [
      'Remove member',
      'Disable member',
      'Change role',
      'Change permissions',
      'Withdraw invitation',
      'Invite member',
      'Invite member: refused',
      'Step-up',
    ]) {
      ok(actions.includes(action), `${action} is on record: ${actions.join(', ')}`)
    }
  })

  test('impersonation asks for a step-up and a reason, is seen by both, is left by the banner, and is on record', async () => {
    await go('Team')
    await choose('Mel Member', /Act as Mel/)
    const form = dialog(page, 'Act as Mel Member')
    await form.getByLabel('Why').fill('Ticket 4711: cannot find the invoice')
    await form.getByRole('button', { name: 'Begin' }).click()
    await passByPasskey(page)
    const banner = page.getByRole('region', { name: 'Acting as somebody else' })
    await banner.getByText('You are acting as').waitFor()
    await title(page, 'Sessions').waitFor()
    // As the member: what a member sees, and the session of whoever acts.
    equal(await page.getByRole('link', { name: 'Team', exact: true }).count(), 0)
    await row('Olive Owner acting as you').waitFor()
    await screenshot(page, 'impersonating')
    // Nothing takes the banner away; what is one's own stays out of reach.
    visitor.expectRefusals(403)
    await go('Security settings')
    await page.getByLabel('New address').fill('mine@example.com')
    await page.getByRole('button', { name: 'Change address' }).click()
    await page.getByText('This cannot be done while acting as somebody else.').waitFor()
    ok(await banner.isVisible())

    await banner.getByRole('button', { name: 'Stop' }).click()
    await banner.waitFor({ state: 'detached' })
    await page.getByText('You are yourself again').waitFor()
    await go('Impersonations')
    const entry = row('Ticket 4711')
    await entry.getByText('Stopped by hand').waitFor()
    await entry.getByRole('link', { name: 'What Olive Owner did as Mel Member' }).click()
    await page.getByRole('button', { name: 'Details of Change settings' }).first().waitFor()
    await page.locator('.sp-col-who').filter({ hasText: 'Olive Owner as Mel Member' }).first().waitFor()
    const actions = await logged()
    ok(actions.includes('Start impersonation'), actions.join(', '))
    ok(actions.includes('End impersonation'), actions.join(', '))
  })

  test('an IP rule shows whom it cuts off, asks for a step-up, refuses to lock its author out, and is on record', async () => {
    await go('IP rules')
    await page.getByText('No rules').waitFor()
    await page.getByRole('button', { name: 'Add rule' }).click()
    const form = dialog(page, 'Add an IP rule')
    visitor.expectRefusals(400, 409)
    await form.getByLabel('Address or network').fill('203.0.113.77/24')
    await form.getByRole('button', { name: 'Add rule' }).click()
    await passByPasskey(page)
    // Refused at its field, with what was typed still there.
    await form.getByLabel('Address or network').and(page.locator('[aria-invalid=true]')).waitFor()
    equal(await form.getByLabel('Address or network').inputValue(), '203.0.113.77/24')

    // An allow rule for Lisbon alone would keep the owner out, who is in Berlin: said before it is tried.
    const add = form.getByRole('button', { name: 'Add rule' })
    await form.getByLabel('Address or network').fill(`${LISBON.address}/32`)
    await form.getByText(/live sessions? (?:is|are) cut off/).waitFor()
    await form.getByText('Olive Owner').first().waitFor()
    await form.getByText('This would lock you out').waitFor()
    equal(await add.getAttribute('aria-disabled'), 'true')
    // Where the preview did not foresee it, the service refuses.
    await page.route('**/ip-rules/preview', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), wouldLockOut: false } })
    })
    await form.getByLabel('Address or network').fill('194.65.14.0/31')
    await form.getByText('This would lock you out').waitFor({ state: 'detached' })
    await form.getByText(/live sessions? (?:is|are) cut off/).waitFor()
    await add.click()
    await form.getByText('This would lock you out').waitFor()
    equal(await add.getAttribute('aria-disabled'), 'true')
    await page.unroute('**/ip-rules/preview')

    await form.getByLabel('Deny').check()
    await form.getByLabel('Address or network').fill('198.18.7.0/24')
    await form.getByLabel('Label').fill('A bad neighbourhood')
    await form.getByText(/Nobody is cut off/).waitFor()
    await form.getByRole('button', { name: 'Add rule' }).click()
    await page.getByText('Rule added').waitFor()
    await row('198.18.7.0/24').getByText('A bad neighbourhood').waitFor()

    await page.getByRole('button', { name: 'Edit 198.18.7.0/24' }).click()
    await dialog(page, 'Change this rule').getByLabel('Label').fill('A worse one')
    await page.getByRole('button', { name: 'Save rule' }).click()
    await row('A worse one').waitFor()
    await page.getByRole('button', { name: 'Remove 198.18.7.0/24' }).click()
    await dialog(page, 'Remove this rule?').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('No rules').waitFor()

    const actions = await logged()
    for (const action of ['Remove IP rule', 'Change IP rule', 'Add IP rule', 'Add IP rule: refused']) {
      ok(actions.includes(action), `${action} is on record: ${actions.join(', ')}`)
    }
  })

  test('an event shows what changed, and its proof is computed in the browser', async () => {
    await go('Team')
    await choose('Mel Member', 'Role and permissions…')
    await dialog(page, 'Access of Mel Member').getByLabel('Role').selectOption('admin')
    await page.getByRole('button', { name: 'Save' }).click()
    await passByPasskey(page)
    await page.getByText('Mel Member is admin now').waitFor()
    await go('Audit log')
    const details = page.getByRole('button', { name: 'Details of Change role' }).first()
    await details.click()
    await page.getByText('Sealed, proof checks').waitFor()
    await page.getByRole('row', { name: 'role member admin', exact: true }).waitFor()
    await screenshot(page, 'audit-event')
    await details.click()

    // The same event, altered on the way: its hash leads to another root.
    await page.route('**/api/audit/events?*', async (route) => {
      const response = await route.fetch()
      const text = (await response.text()).replaceAll('"admin"', '"owner"')
      await route.fulfill({ response, body: text })
    })
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.reload()
    await page.getByRole('button', { name: 'Details of Change role' }).first().click()
    await page.getByText('The proof does not hold').waitFor()
    await page.unroute('**/api/audit/events?*')

    // Another key than the one that this browser knows is not taken in silence.
    await page.route('**/api/audit/key', async (route) => {
      const response = await route.fetch()
      const { origin } = (await response.json()) as { origin: string }
      const vkey = `${origin}+69c7475d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c`
      await route.fulfill({ response, json: { origin, vkey } })
    })
    await page.reload()
    await page.getByRole('button', { name: 'Details of Change role' }).first().click()
    await page.getByText(/key is another one than this browser knows/).waitFor()
  })

  test('the audit log is searched, and paged to its beginning', async () => {
    for (let n = 0; n < 12; n += 1) {
      await service.send('POST', '/auth/login', { email: member.email, password: PASSWORD })
    }
    await go('Audit log')
    await page.getByText('Page 1').waitFor()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('That is the oldest of it.').waitFor()
    await page.getByRole('button', { name: 'Details of Create tenant' }).waitFor()
    await page.getByRole('button', { name: 'Newest' }).click()
    await page.getByText('Page 1').waitFor()
    await page.getByLabel('Outcome').selectOption('FAIL')
    await page.getByLabel('Action').selectOption('TENANT_CREATED')
    await page.getByText('No events').waitFor()
    // What is looked for stands in the address.
    match(page.url(), /outcome=FAIL/)
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByLabel('Search names, addresses, ids').fill(BERLIN.address)
    await page.waitForURL(/q=85/)
    await page.getByRole('button', { name: 'Details of Create tenant' }).waitFor()
  })

  test('datasets and an evidence bundle are exported, and the bundle verifies', async () => {
    await go('Compliance')
    await page.getByText('The audit log is append-only').waitFor()
    await page.getByRole('link', { name: 'Exports and bundles' }).click()
    // A period that ends before it begins is refused at its field, and stays as it was typed.
    visitor.expectRefusals(400)
    await page.getByLabel('From').fill('2026-03-02')
    await page.getByLabel('To', { exact: true }).fill('2026-03-01')
    await page.getByRole('button', { name: 'Export Audit log' }).click()
    await passByPasskey(page)
    await page
      .getByRole('textbox')
      .or(page.locator('input[type=date]'))
      .and(page.locator('[aria-invalid=true]'))
      .waitFor()
    equal(await page.getByLabel('From').inputValue(), '2026-03-02')
    await page.getByRole('button', { name: 'Last 30 days' }).click()
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export Audit log' }).click()
    const csv = await saved
    match(csv.suggestedFilename(), /^audit-logs.*\.csv$/)
    const text = await readFile(await csv.path(), 'utf8')
    match(text, /TENANT_CREATED/)
    await page.getByText(/saved, /).waitFor()

    const made = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Make bundle' }).click()
    const bundle = await made
    const path = join(service.folder, bundle.suggestedFilename())
    await bundle.saveAs(path)
    const verified = await service.command('verify', path)
    deepEqual([verified.code, verified.stderr], [0, ''])
    const actions = await logged()
    equal(actions.filter((action) => action === 'Complete export').length, 2)
  })

  test('settings are changed after a step-up, and a looser one is refused at its field', async () => {
    visitor.expectRefusals(400)
    await go('Tenant settings')
    await page.getByLabel('Idle for at most').selectOption('3600')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await passByPasskey(page)
    await page.getByText('Settings saved.').waitFor()
    await page.getByText('Holds now: 1 hour').waitFor()
    await page.getByLabel('Idle for at most').selectOption('1209600')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText(/Must be at most/).waitFor()
    equal(await page.getByLabel('Idle for at most').inputValue(), '1209600')
  })

  test('forcing a member out ends what they have open', async () => {
    await go('Team')
    await page.getByRole('link', { name: 'Mel Member' }).click()
    await title(page, 'Mel Member').waitFor()
    await row('Lisbon, Portugal').waitFor()
    await page.getByRole('button', { name: 'Force out' }).click()
    await dialog(page, 'Force Mel Member out?').getByRole('button', { name: 'Force out' }).click()
    await passByPasskey(page)
    await page.getByText('1 session ended').waitFor()
    await page.getByText('No sessions').waitFor()
    equal((await service.send('GET', '/auth/me', undefined, { token: member.token })).status, 401)
  })
})
