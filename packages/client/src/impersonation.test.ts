import { expect, test } from 'vitest'
import type { ClientOptions } from './options.ts'
import type { StepUpDemand } from './step-up.ts'
import { outcome, pass, useClock, value } from './testing/clock.ts'
import { fakeBrowser } from './testing/fake-browser.ts'
import { fakeService, problem } from './testing/fake-service.ts'

useClock()

const ADA = { email: 'ada', password: 'right' }
const MINUTE = 60_000
const WHOM = { staffId: 'member', reason: 'Ticket 4711' }

async function acting(options: ClientOptions = {}) {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const ended: string[] = []
  const client = browser.tab({
    onStepUp: (demand: StepUpDemand) => demand.verify({ factor: 'totp', code: '123456' }),
    onSignedOut: ({ reason }) => ended.push(reason),
    ...options,
  })
  const other = browser.tab()
  await value(client.signIn(ADA))
  await pass(10)
  const state = await value(client.impersonate(WHOM))
  return { service, browser, client, other, ended, state }
}
const who = (body: unknown) => (body as { readonly user: string }).user

test('this tab acts as another, says as whom and by whom, and the other tabs go on as they were', async () => {
  const { client, other, state } = await acting()
  expect(state).toMatchObject({
    status: 'signed-in',
    user: { id: 'the member' },
    impersonation: { realUser: { id: 'ada' } },
  })
  expect(client.state()).toBe(state)
  expect(other.state()).toMatchObject({ user: { id: 'ada' }, impersonation: null })
  expect(who(await value(client.api.listSessions()))).toBe('the member')
  expect(who(await value(other.api.listSessions()))).toBe('ada')
})

test('its exit leads back to the own session, without cookies and without a renewal', async () => {
  const { client, service, ended } = await acting()
  const refreshes = service.count('refresh')
  expect(await value(client.exitImpersonation())).toMatchObject({ user: { id: 'ada' }, impersonation: null })
  expect(service.asked.find(({ name }) => name === 'exitImpersonation')?.request.credentials).toBe('omit')
  expect(who(await value(client.api.listSessions()))).toBe('ada')
  expect([service.count('refresh'), ended]).toEqual([refreshes, []])
  // Nothing to leave any more.
  expect(await value(client.exitImpersonation())).toMatchObject({ user: { id: 'ada' } })
  expect(service.count('exitImpersonation')).toBe(1)
})

test('the own session is renewed meanwhile by other tabs, and shows nowhere', async () => {
  const { client, other, service, state, ended } = await acting()
  for (let cycle = 0; cycle < 2; cycle++) {
    await pass(10 * MINUTE)
    await value(other.api.listSessions())
    await pass(10)
    expect(client.state()).toBe(state)
    expect(who(await value(client.api.listSessions()))).toBe('the member')
  }
  await value(client.exitImpersonation())
  expect(who(await value(client.api.listSessions()))).toBe('ada')
  expect([service.reuses, ended]).toEqual([0, []])
})

test('after hours the exit still leads back', async () => {
  const { client, service, ended } = await acting()
  await pass(60 * MINUTE)
  expect(await value(client.exitImpersonation())).toMatchObject({ user: { id: 'ada' } })
  expect(who(await value(client.api.listSessions()))).toBe('ada')
  expect([service.count('refresh'), ended]).toEqual([1, []])
})

test('where it has ended, what was begun as another is not done as oneself', async () => {
  const { client, service, state, ended } = await acting()
  service.revoke(state.session.id, 'SESSION_REVOKED')
  expect(await outcome(client.api.revokeOtherSessions())).toBe('SESSION_REVOKED')
  expect(service.asked.filter(({ request }) => request.url.endsWith('revoke-others'))).toHaveLength(1)
  expect(client.state()).toMatchObject({ user: { id: 'ada' }, impersonation: null })
  expect(who(await value(client.api.listSessions()))).toBe('ada')
  expect(ended).toEqual([])
})

test('an exit that the network swallows is tried again; one that fails leaves everything as it is', async () => {
  const { client, service, state } = await acting()
  let losses = 2
  service.after = ({ name }) => {
    if (name === 'exitImpersonation' && losses-- > 0) throw new Error('connection reset')
  }
  // The second time it has ended already, which is as good.
  expect(await value(client.exitImpersonation())).toMatchObject({ user: { id: 'ada' } })
  expect(state.impersonation).not.toBeNull()

  const second = await acting()
  second.service.before = ({ name }) => name === 'exitImpersonation' && problem(503, 'UNAVAILABLE')
  expect(await outcome(second.client.exitImpersonation())).toBe('UNAVAILABLE')
  expect(second.client.state()).toBe(second.state)
})

test('the end of the own session is the end of it', async () => {
  const { client, other, ended } = await acting()
  await value(other.signOut())
  await pass(10)
  expect([client.state(), ended]).toEqual([{ status: 'signed-out', reason: 'SIGNED_OUT' }, ['SIGNED_OUT']])
  expect(await value(client.exitImpersonation())).toBeUndefined()
})

test('who signs out while acting signs the own session out', async () => {
  const { client, service } = await acting()
  await value(client.signOut())
  expect(service.family('sid-1').ended).toBe('REFRESH_TOKEN_REVOKED')
})

test('asked anew who it is, it is still the other', async () => {
  const { client } = await acting()
  expect(await value(client.session({ reload: true }))).toMatchObject({ user: { id: 'the member' } })
  await value(client.exitImpersonation())
  expect(client.state()).toMatchObject({ user: { id: 'ada' } })
})
