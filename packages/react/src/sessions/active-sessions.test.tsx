import type { Session } from '@sallyport/client'
import { expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { openPage, withPages } from '../testing/page.tsx'
import { ActiveSessions } from './active-sessions.tsx'

withPages()

const LIST = 'GET /security/sessions'

const session = (id: string, more: Partial<Session> = {}): Session => ({
  id,
  kind: 'login',
  isCurrent: id === 'sid-1',
  device: { type: 'desktop', browser: 'Firefox', os: 'Windows' },
  userAgent: `agent of ${id}`,
  ipAddress: '192.0.2.7',
  city: 'Berlin',
  country: 'DE',
  createdAt: '2029-12-31T00:00:00Z',
  lastSeenAt: '2029-12-31T23:00:00Z',
  expiresAt: '2030-02-01T00:00:00Z',
  revokedAt: null,
  revokeReason: null,
  ...more,
})

function open(sessions: readonly Session[] = [session('sid-1'), session('other', { city: 'Rome', country: 'IT' })]) {
  const page = openPage()
  page.answer(LIST, { sessions, currentSessionId: 'sid-1', nextCursor: null })
  return page
}

const REVOKE_OTHER = 'Revoke Firefox on Windows, Rome, Italy'
const REVOKE_THIS = 'Revoke Firefox on Windows, Berlin, Germany'

test('each session has its device, place, address, user agent and when it was last seen; this one is marked', async () => {
  const page = open()
  await page.show(<ActiveSessions />)
  const [first, second] = page.all('li').map((item) => item.textContent)
  for (const part of ['Firefox on Windows', 'Current', 'Berlin, Germany', '192.0.2.7', 'agent of sid-1', 'Last seen'])
    expect(first).toContain(part)
  expect(second).toContain('Rome, Italy')
  expect(second).not.toContain('Current')
})

test('its place is kept while it loads', async () => {
  const page = open()
  const held = page.hold(LIST)
  await page.show(<ActiveSessions />)
  expect(page.all('[aria-busy=true] > li')).toHaveLength(4)
  expect(page.text()).not.toContain('No sessions')
  await held.release({ sessions: [], currentSessionId: 'sid-1', nextCursor: null })
  expect(page.all('[aria-busy=true]')).toEqual([])
  expect(page.text()).toContain('No sessions')
})

test('what went wrong is said, and trying again helps', async () => {
  const page = open()
  page.answer(LIST, () => problem(403, 'FORBIDDEN'))
  await page.show(<ActiveSessions />)
  expect(page.alerts()).toEqual([expect.stringContaining('You are not allowed to do this.')])
  page.answer(LIST, { sessions: [session('sid-1')], currentSessionId: 'sid-1', nextCursor: null })
  await page.press('Try again')
  expect(page.alerts()).toEqual([])
  expect(page.all('li')).toHaveLength(1)
})

test('revoking another asks for the second factor, goes on by itself, and the list is as it is by then', async () => {
  const page = open()
  page.answer('POST /security/sessions/other/revoke', () =>
    page.service.family('sid-1').opened.has('revoke_session')
      ? { success: true, currentRevoked: false }
      : problem(428, 'STEP_UP_REQUIRED', { purpose: 'revoke_session', factors: ['totp'] }),
  )
  await page.show(<ActiveSessions />)
  await page.press(REVOKE_OTHER)
  expect(page.text()).toContain('Verify to continue')
  expect(page.find(REVOKE_OTHER)?.getAttribute('aria-busy')).toBe('true')
  page.answer(LIST, { sessions: [session('sid-1')], currentSessionId: 'sid-1', nextCursor: null })
  await page.fill('One-time code', '123456')
  await page.press('Verify')
  expect(page.text()).not.toContain('Verify to continue')
  expect(page.text()).toContain('Session revoked')
  expect(page.all('ul > li')).toHaveLength(1)
})

test('a second factor that is not given is no failure: everything is as it was', async () => {
  const page = open()
  page.answer('POST /security/sessions/other/revoke', () =>
    problem(428, 'STEP_UP_REQUIRED', { purpose: 'revoke_session', factors: ['totp'] }),
  )
  await page.show(<ActiveSessions />)
  await page.press(REVOKE_OTHER)
  await page.press('Cancel')
  expect(page.alerts()).toEqual([])
  expect(page.find(REVOKE_OTHER)?.getAttribute('aria-busy')).toBeNull()
})

test('what was refused is said above the list', async () => {
  const page = open()
  page.answer('POST /security/sessions/other/revoke', () => problem(404, 'NOT_FOUND'))
  await page.show(<ActiveSessions />)
  await page.press(REVOKE_OTHER)
  expect(page.alerts()).toEqual([expect.stringContaining('It is not there any more.')])
  expect(page.all('ul > li')).toHaveLength(2)
})

test('revoking this one is asked about first, and signs out', async () => {
  const page = open()
  await page.show(<ActiveSessions />)
  await page.press(REVOKE_THIS)
  expect(page.text()).toContain('Sign out of this session?')
  await page.press('Cancel')
  expect(page.asked()).toEqual([LIST])
  await page.press(REVOKE_THIS)
  await page.press('Sign out')
  expect(page.sallyport.page.getState().auth).toEqual({ status: 'signed-out', reason: 'SESSION_REVOKED' })
})

test('revoking all others is asked about first, and says how many there were', async () => {
  const page = open()
  page.answer('POST /security/sessions/revoke-others', { success: true, revoked: 1 })
  await page.show(<ActiveSessions />)
  await page.press('Revoke all other sessions')
  expect(page.asked()).toEqual([LIST])
  await page.press('Revoke them')
  expect(page.asked()).toContain('POST /security/sessions/revoke-others')
  expect(page.text()).toContain('1 other session revoked')
})

test('where there is no other session, there is none to revoke', async () => {
  const page = open([session('sid-1')])
  await page.show(<ActiveSessions />)
  expect(page.find('Revoke all other sessions')?.getAttribute('aria-disabled')).toBe('true')
  await page.press('Revoke all other sessions')
  expect(page.text()).not.toContain('Revoke all other sessions?')
})

test('the sessions of a member are asked for by whose they are, and all of them cannot be revoked here', async () => {
  const page = open([session('other')])
  await page.show(<ActiveSessions userId="ben" />)
  expect(page.last()).toMatchObject({ userId: 'ben' })
  expect(page.find('Revoke all other sessions')).toBeUndefined()
  expect(page.find(REVOKE_THIS)).toBeDefined()
})

test('where nothing can be revoked there are no buttons for it', async () => {
  const page = open()
  await page.show(<ActiveSessions canRevoke={false} />)
  expect(page.all('button')).toEqual([])
})

test('ended sessions are another list, in which nothing is revoked', async () => {
  const page = open()
  await page.show(<ActiveSessions withEnded />)
  page.answer(LIST, {
    sessions: [session('gone', { revokedAt: '2029-12-31T23:30:00Z', revokeReason: 'force_logout' })],
    currentSessionId: 'sid-1',
    nextCursor: null,
  })
  await page.press('Ended')
  expect(page.last()).toMatchObject({ state: 'ended' })
  expect(page.all('ul > li').map((item) => item.textContent)).toEqual([expect.stringContaining('Forced out')])
  expect(page.find(REVOKE_THIS)).toBeUndefined()
})

test('more than a page is loaded on demand', async () => {
  const page = open()
  page.answer(LIST, { sessions: [session('sid-1')], currentSessionId: 'sid-1', nextCursor: 'next' })
  await page.show(<ActiveSessions />)
  page.answer(LIST, { sessions: [session('other')], currentSessionId: 'sid-1', nextCursor: null })
  await page.press('Load more')
  expect(page.last()).toMatchObject({ cursor: 'next' })
  expect(page.all('ul > li')).toHaveLength(2)
  expect(page.find('Load more')).toBeUndefined()
})
