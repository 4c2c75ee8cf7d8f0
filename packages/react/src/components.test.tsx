import type { ReactNode } from 'react'
import { expect, test } from 'vitest'
import { problem } from '../../client/src/testing/fake-service.ts'
import { AuditLog } from './audit/audit-log.tsx'
import { ComplianceExports } from './exports/compliance-exports.tsx'
import { ImpersonationBanner } from './impersonation/impersonation-banner.tsx'
import { IpRules } from './ip-rules/ip-rules.tsx'
import { MfaSettings } from './mfa/mfa-settings.tsx'
import type { Route } from './testing/page.tsx'
import { during, openPage, withPages } from './testing/page.tsx'

withPages()

interface Case {
  readonly name: string
  readonly content: ReactNode
  readonly route: Route
  readonly nothing: object
  readonly empty: string
}

const LOADING: readonly Case[] = [
  {
    name: 'AuditLog',
    content: <AuditLog />,
    route: 'GET /audit/events',
    nothing: { events: [], nextCursor: null },
    empty: 'Nothing was recorded that fits.',
  },
  {
    name: 'IpRules',
    content: <IpRules />,
    route: 'GET /security/ip-rules',
    nothing: { rules: [], mode: 'enforce' },
    empty: 'No rules',
  },
  {
    name: 'MfaSettings',
    content: <MfaSettings />,
    route: 'GET /security/mfa',
    nothing: { factors: [], recoveryCodesLeft: 0, usable: [] },
    empty: 'No second factor yet',
  },
]

test.each(LOADING)('$name keeps its place while it loads, and says that there is nothing', async (one) => {
  const page = openPage()
  const held = page.hold(one.route)
  await page.show(one.content)
  expect(page.all('[aria-busy=true] .sp-skeleton').length).toBeGreaterThan(3)
  expect(page.text()).not.toContain(one.empty)
  await held.release(one.nothing)
  expect(page.all('[aria-busy=true] .sp-skeleton')).toEqual([])
  expect(page.text()).toContain(one.empty)
})

test.each(LOADING)('$name says what went wrong, and trying again helps', async (one) => {
  const page = openPage()
  page.answer(one.route, () => problem(403, 'FORBIDDEN'))
  await page.show(one.content)
  expect(page.alerts()).toEqual([expect.stringContaining('You are not allowed to do this.')])
  page.answer(one.route, one.nothing)
  await page.press('Try again')
  expect(page.alerts()).toEqual([])
  expect(page.text()).toContain(one.empty)
})

const RULE = {
  id: 'r1',
  type: 'DENY',
  cidr: '192.0.2.0/24',
  label: 'Elsewhere',
  createdAt: '2029-12-31T00:00:00Z',
  createdByName: 'Ana',
  expiresAt: null,
}

async function rules(permissions: readonly string[]) {
  const page = openPage()
  page.answer('GET /auth/me', {
    user: { id: 'ana' },
    tenant: { id: 't1' },
    staff: { id: 's1', role: 'owner', permissions },
    session: { id: 'sid-1' },
    impersonation: null,
  })
  page.answer('GET /security/ip-rules', { rules: [RULE], mode: 'monitor' })
  page.answer('POST /security/ip-rules/preview', { cutOff: [], looked: 1 })
  await page.show(<IpRules />)
  return page
}

test('IpRules shows each rule, and that rules are only watched', async () => {
  const page = await rules(['SETTINGS_SECURITY_VIEW'])
  for (const part of ['192.0.2.0/24', 'Deny', 'Elsewhere', 'by Ana', 'Only watched'])
    expect(page.text()).toContain(part)
})

test('IpRules has no buttons for those who may only look', async () => {
  const page = await rules(['SETTINGS_SECURITY_VIEW'])
  expect(page.all('button')).toEqual([])
})

test('IpRules removes a rule after it has asked, and keeps it where it is refused', async () => {
  const page = await rules(['SETTINGS_SECURITY_EDIT'])
  page.answer('DELETE /security/ip-rules/r1', () => problem(403, 'FORBIDDEN'))
  await page.press('Remove 192.0.2.0/24')
  expect(page.asked()).not.toContain('DELETE /security/ip-rules/r1')
  await page.press('Remove')
  expect(page.asked()).toContain('DELETE /security/ip-rules/r1')
  expect(page.alerts()).toEqual([expect.stringContaining('You are not allowed to do this.')])
  expect(page.all('ul > li')).toHaveLength(1)
})

test('MfaSettings shows what is enrolled, and how many recovery codes are left', async () => {
  const page = openPage()
  const factor = { id: 'f1', type: 'totp', label: 'Phone', createdAt: '2029-12-31T00:00:00Z', lastUsedAt: null }
  page.answer('GET /security/mfa', {
    factors: [{ ...factor, disabledAt: '2029-12-31T00:00:00Z' }],
    recoveryCodesLeft: 1,
    usable: ['totp'],
  })
  await page.show(<MfaSettings />)
  for (const part of ['Phone', 'Locked', 'Not used yet', '1 code left', 'Running low'])
    expect(page.text()).toContain(part)
  // One authenticator app is enough; a browser without passkeys makes none.
  expect(page.find('Add authenticator app')?.getAttribute('aria-disabled')).toBe('true')
  expect(page.find('Add passkey')?.getAttribute('aria-disabled')).toBe('true')
})

test('MfaSettings shows new recovery codes once, until they are kept', async () => {
  const page = openPage()
  const factor = { id: 'f1', type: 'totp', label: 'Phone', createdAt: '2029-12-31T00:00:00Z', lastUsedAt: null }
  page.answer('GET /security/mfa', { factors: [{ ...factor, disabledAt: null }], recoveryCodesLeft: 8, usable: [] })
  page.answer('POST /security/mfa/recovery-codes', { recoveryCodes: ['AAAA-BBBB', 'CCCC-DDDD'] })
  await page.show(<MfaSettings />)
  await page.press('Make new codes')
  expect(page.text()).toContain('Make new recovery codes?')
  await page.pressLast('Make new codes')
  expect(page.text()).toContain('AAAA-BBBB')
  // What cannot be had again is not lost by a slip.
  expect(page.find('Close')).toBeUndefined()
  await during(() => page.all('dialog')[0]?.dispatchEvent(new Event('cancel', { cancelable: true })))
  expect(page.text()).toContain('AAAA-BBBB')
  await page.press('I have kept them')
  expect(page.text()).not.toContain('AAAA-BBBB')
})

test('AuditLog tells the host what is looked for, and looks for what the host says', async () => {
  const page = openPage()
  page.answer('GET /audit/events', { events: [], nextCursor: null })
  await page.show(<AuditLog filters={{ outcome: 'FAIL' }} pageSize={10} />)
  expect(page.last()).toEqual({ outcome: 'FAIL', limit: '10' })
  await page.show(<AuditLog filters={{}} pageSize={10} />)
  expect(page.last()).toEqual({ limit: '10' })
})

test('ComplianceExports exports one at a time, says what was refused at its dataset, and can be cancelled', async () => {
  const page = openPage()
  const route: Route = 'GET /compliance/export/user-sessions.csv'
  const held = page.hold(route)
  await page.show(<ComplianceExports />)
  await page.press('Export Sessions')
  expect(held.signals).toHaveLength(1)
  expect(page.all('[role=progressbar]')).toHaveLength(1)
  expect(page.find('Export Audit log')?.getAttribute('aria-disabled')).toBe('true')
  expect(page.find('Make bundle')?.getAttribute('aria-disabled')).toBe('true')
  await page.press('Cancel')
  expect(page.text()).toContain('Export cancelled')
  expect(page.find('Export Audit log')?.getAttribute('aria-disabled')).toBeNull()
  page.answer(route, () => problem(409, 'CONFLICT'))
  await page.press('Export Sessions')
  expect(page.alerts()).toEqual([expect.stringContaining('Another export of this tenant is running.')])
})

test('ImpersonationBanner is not there until somebody acts as another, and leads back', async () => {
  const page = openPage()
  await page.show(<ImpersonationBanner />)
  expect(page.text()).toBe('')
  page.service.family('sid-1').opened.add('impersonate')
  await during(() => page.sallyport.client.impersonate({ staffId: 's2', reason: 'why' }))
  expect(page.text()).toContain('You are acting as the member')
  await page.press('Stop')
  expect(page.text()).toBe('You are yourself again')
})

test('ImpersonationBanner stays, and says why, where the service could not be told', async () => {
  const page = openPage()
  await page.show(<ImpersonationBanner />)
  page.service.family('sid-1').opened.add('impersonate')
  await during(() => page.sallyport.client.impersonate({ staffId: 's2', reason: 'why' }))
  page.answer('POST /security/impersonate/exit', () => problem(403, 'FORBIDDEN'))
  await page.press('Stop')
  expect(page.text()).toContain('You are acting as the member')
  expect(page.alerts()).toEqual(['You are not allowed to do this.'])
})
