import { expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import type { Route } from '../testing/page.tsx'
import { during, openPage, pass, withPages } from '../testing/page.tsx'
import type { Loaded, LoadedPages } from './query.ts'
import { useAccount } from './use-account.ts'
import type { Action } from './use-action.ts'
import { useChecklist } from './use-checklist.ts'
import { useImpersonations } from './use-impersonation.ts'
import { useCaseFile, useIncidents } from './use-incidents.ts'
import { useIpRulePreview, useIpRules } from './use-ip-rules.ts'
import { useMfa } from './use-mfa.ts'
import { useOverview } from './use-overview.ts'
import { useSessions } from './use-sessions.ts'
import { useSettings } from './use-settings.ts'
import { useRoles, useTeam } from './use-team.ts'

withPages()

type One = [name: string, hook: () => Loaded<unknown>, route: Route, sent: object]

const LOADED: readonly One[] = [
  ['useTeam', () => useTeam(), 'GET /team', {}],
  ['useRoles', () => useRoles(), 'GET /team/roles', {}],
  ['useSettings', () => useSettings(), 'GET /security/settings', {}],
  ['useIpRules', () => useIpRules(), 'GET /security/ip-rules', {}],
  [
    'useIpRulePreview',
    () => useIpRulePreview({ type: 'DENY', cidr: '192.0.2.0/24' }),
    'POST /security/ip-rules/preview',
    { type: 'DENY', cidr: '192.0.2.0/24' },
  ],
  ['useMfa', () => useMfa(), 'GET /security/mfa', {}],
  [
    'useOverview',
    () => useOverview(7),
    'GET /security/overview',
    { from: '2029-12-25T00:00:00', to: '2030-01-01T00:00:00' },
  ],
  ['useChecklist', () => useChecklist(), 'GET /compliance/checklist', {}],
  ['useCaseFile', () => useCaseFile('i1'), 'GET /security/incidents/i1', {}],
]

type Many = [name: string, hook: () => LoadedPages<unknown>, route: Route, field: string, sent: object]

const PAGES: readonly Many[] = [
  ['useSessions', () => useSessions(), 'GET /security/sessions', 'sessions', { state: 'active' }],
  [
    'useSessions of a member',
    () => useSessions({ userId: 'u1', state: 'ended' }),
    'GET /security/sessions',
    'sessions',
    { userId: 'u1', state: 'ended' },
  ],
  ['useIncidents', () => useIncidents(), 'GET /security/incidents', 'incidents', {}],
  ['useImpersonations', () => useImpersonations(), 'GET /security/impersonations', 'impersonations', {}],
]

/** Without the milliseconds, which pass while somebody signs in. */
const seconds = (sent: object) =>
  Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, String(value).replace(/(T[\d:]+)\.\d+Z$/, '$1')]),
  )

test.each(LOADED)('%s loads what it is for', async (_, hook, route, sent) => {
  const page = openPage()
  const held = page.hold(route)
  const used = await page.use(hook)
  expect(used.current).toMatchObject({ data: undefined, loading: true, error: undefined })
  expect(page.asked()).toEqual([route])
  expect(seconds(page.last())).toEqual(sent)
  await held.release({ what: 'is there' })
  expect(used.current).toMatchObject({ data: { what: 'is there' }, loading: false, error: undefined })
})

test.each(PAGES)('%s loads page after page of what it is for', async (_, hook, route, field, sent) => {
  const page = openPage()
  const held = page.hold(route)
  const used = await page.use(hook)
  expect(used.current).toMatchObject({ items: [], loading: true, hasMore: false })
  expect(page.last()).toEqual({ ...sent, limit: '50' })
  await held.release({ [field]: [{ id: 1 }], nextCursor: 'next' })
  expect(used.current).toMatchObject({ items: [{ id: 1 }], loading: false, hasMore: true })
  await during(() => used.current.loadMore())
  expect(page.last()).toEqual({ ...sent, limit: '50', cursor: 'next' })
  await held.release({ [field]: [{ id: 2 }], nextCursor: null })
  expect(used.current).toMatchObject({ items: [{ id: 1 }, { id: 2 }], hasMore: false })
})

const ALL: readonly (readonly [string, () => Omit<Loaded<never>, 'data'>, Route])[] = [
  ...LOADED.map(([name, hook, route]) => [name, hook, route] as const),
  ...PAGES.map(([name, hook, route]) => [name, hook, route] as const),
]

test.each(ALL)('%s says what it was refused for, and can try again', async (_, hook, route) => {
  const page = openPage()
  page.answer(route, () => problem(403, 'FORBIDDEN'))
  const used = await page.use(hook)
  expect(used.current).toMatchObject({ loading: false, error: { status: 403, code: 'FORBIDDEN' } })
  const held = page.hold(route)
  await during(() => used.current.reload())
  expect(held.signals).toHaveLength(1)
})

test.each(ALL)('%s gives its request up when it is left', async (_, hook, route) => {
  const page = openPage()
  const { signals } = page.hold(route)
  const used = await page.use(hook)
  const rendered = used.all.length
  await page.leave()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  expect(used.all.length).toBe(rendered)
})

test('what changes by itself is loaded anew each minute', async () => {
  const page = openPage()
  page.answer('GET /security/sessions', { sessions: [], currentSessionId: 'sid-1', nextCursor: null })
  await page.use(() => [useOverview(1), useSessions(), useTeam()])
  expect(page.asked()).toHaveLength(3)
  await pass(60_000)
  expect(page.asked().slice(3).toSorted()).toEqual(['GET /security/overview', 'GET /security/sessions'])
})

test('a preview of nothing asks nothing', async () => {
  const page = openPage()
  const used = await page.use(() => useIpRulePreview(undefined))
  expect(page.asked()).toEqual([])
  expect(used.current).toMatchObject({ data: undefined, loading: false, error: undefined })
})

test('a list of sessions says which one this page speaks from', async () => {
  const page = openPage()
  page.answer('GET /security/sessions', { sessions: [], currentSessionId: 'sid-1', nextCursor: null })
  const used = await page.use(() => useSessions())
  expect(used.all[0]?.currentSessionId).toBeUndefined()
  expect(used.current.currentSessionId).toBe('sid-1')
})

/** All that an action could make old, on one page. */
function useEverything() {
  return {
    account: useAccount(),
    ipRules: useIpRules(),
    mfa: useMfa(),
    sessions: useSessions(),
    settings: useSettings(),
    team: useTeam(),
  }
}

type Everything = ReturnType<typeof useEverything>
const MFA: Route = 'GET /security/mfa'
const RULES: Route = 'GET /security/ip-rules'
const SESSIONS: Route = 'GET /security/sessions'
const SETTINGS: Route = 'GET /security/settings'
const TEAM: Route = 'GET /team'

interface Doing<Input> {
  readonly name: string
  readonly of: (all: Everything) => Action<Input, unknown>
  readonly input?: Input
  readonly route: Route
  readonly sent?: object
  /** What is loaded anew. */
  readonly anew?: readonly Route[]
  readonly says?: RegExp
}

/** Any action, with the input that is its own. */
function doing<Input>({ of, input, ...more }: Doing<Input>) {
  const run = (all: Everything) => of(all).run(input as Input)
  const state = (all: Everything) => {
    const { busy, input: given, error } = of(all)
    return { busy, isOfInput: given === input, code: error?.code }
  }
  return { ...more, run, state }
}

const ACTIONS = [
  doing({
    name: 'useAccount: changePassword',
    of: ({ account }) => account.changePassword,
    input: { currentPassword: 'a', newPassword: 'b' },
    route: 'POST /auth/password',
    sent: { currentPassword: 'a', newPassword: 'b' },
    anew: [SESSIONS],
  }),
  doing({
    name: 'useAccount: changeEmail',
    of: ({ account }) => account.changeEmail,
    input: { email: 'a@example.com' },
    route: 'POST /auth/email',
    sent: { email: 'a@example.com' },
  }),
  doing({
    name: 'useSessions: revoke',
    of: ({ sessions }) => sessions.revoke,
    input: 'other',
    route: 'POST /security/sessions/other/revoke',
    anew: [SESSIONS, TEAM],
    says: /revoked/i,
  }),
  doing({
    name: 'useSessions: revokeOthers',
    of: ({ sessions }) => sessions.revokeOthers,
    route: 'POST /security/sessions/revoke-others',
    anew: [SESSIONS, TEAM],
    says: /3/,
  }),
  doing({
    name: 'useIpRules: add',
    of: ({ ipRules }) => ipRules.add,
    input: { type: 'DENY', cidr: '192.0.2.0/24' },
    route: 'POST /security/ip-rules',
    sent: { type: 'DENY', cidr: '192.0.2.0/24' },
    anew: [RULES],
    says: /./,
  }),
  doing({
    name: 'useIpRules: change',
    of: ({ ipRules }) => ipRules.change,
    input: { ruleId: 'r1', label: 'n' },
    route: 'PATCH /security/ip-rules/r1',
    sent: { label: 'n' },
    anew: [RULES],
    says: /./,
  }),
  doing({
    name: 'useIpRules: remove',
    of: ({ ipRules }) => ipRules.remove,
    input: { ruleId: 'r1' },
    route: 'DELETE /security/ip-rules/r1',
    anew: [RULES],
    says: /./,
  }),
  doing({
    name: 'useSettings: change',
    of: ({ settings }) => settings.change,
    input: { ipRules: { mode: 'monitor' } },
    route: 'PATCH /security/settings',
    sent: { ipRules: { mode: 'monitor' } },
    anew: [RULES, SETTINGS],
  }),
  doing({
    name: 'useMfa: beginTotp',
    of: ({ mfa }) => mfa.beginTotp,
    input: {},
    route: 'POST /security/mfa/totp',
    sent: {},
  }),
  doing({
    name: 'useMfa: beginTotp with a password',
    of: ({ mfa }) => mfa.beginTotp,
    input: { password: 'a' },
    route: 'POST /security/mfa/totp',
    sent: { password: 'a' },
  }),
  doing({
    name: 'useMfa: confirmTotp',
    of: ({ mfa }) => mfa.confirmTotp,
    input: { factorId: 'f1', code: '123456' },
    route: 'POST /security/mfa/totp/confirm',
    sent: { factorId: 'f1', code: '123456' },
    anew: [MFA, TEAM],
    says: /./,
  }),
  doing({
    name: 'useMfa: remove',
    of: ({ mfa }) => mfa.remove,
    input: 'f1',
    route: 'DELETE /security/mfa/factors/f1',
    anew: [MFA, SESSIONS, TEAM],
    says: /./,
  }),
  doing({
    name: 'useMfa: regenerate',
    of: ({ mfa }) => mfa.regenerate,
    route: 'POST /security/mfa/recovery-codes',
    anew: [MFA, TEAM],
    says: /./,
  }),
  doing({
    name: 'useTeam: invite',
    of: ({ team }) => team.invite,
    input: { email: 'a@example.com', name: 'A', role: 'member' },
    route: 'POST /team/invitations',
    sent: { email: 'a@example.com', name: 'A', role: 'member' },
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: withdraw',
    of: ({ team }) => team.withdraw,
    input: 'i1',
    route: 'DELETE /team/invitations/i1',
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: resend',
    of: ({ team }) => team.resend,
    input: 'i1',
    route: 'POST /team/invitations/i1/resend',
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: change',
    of: ({ team }) => team.change,
    input: { staffId: 's1', role: 'admin' },
    route: 'PATCH /team/s1',
    sent: { role: 'admin' },
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: remove',
    of: ({ team }) => team.remove,
    input: 's1',
    route: 'DELETE /team/s1',
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: resetFactors',
    of: ({ team }) => team.resetFactors,
    input: 's1',
    route: 'POST /team/s1/reset-factors',
    anew: [SESSIONS, TEAM],
  }),
  doing({
    name: 'useTeam: forceLogout',
    of: ({ team }) => team.forceLogout,
    input: 'u1',
    route: 'POST /security/force-logout/u1',
    anew: [SESSIONS, TEAM],
  }),
]

async function everything() {
  const page = openPage()
  page.answer(SESSIONS, { sessions: [], currentSessionId: 'sid-1', nextCursor: null })
  page.answer('POST /security/sessions/revoke-others', { revoked: 3 })
  const used = await page.use(useEverything)
  const before = page.asked().length
  return { page, used, since: () => page.asked().slice(before) }
}

test.each(ACTIONS)('$name', async ({ run, route, sent = {}, anew = [], says }) => {
  const { page, used, since } = await everything()
  expect(await during(() => run(used.current))).toMatchObject({ ok: true })
  expect(since()[0]).toBe(route)
  expect(page.service.asked.at(-1 - anew.length)?.body).toEqual(sent)
  expect(since().slice(1).toSorted()).toEqual(anew)
  const said = page.sallyport.page.getState().notices.map(({ text }) => text)
  if (says === undefined) expect(said).toEqual([])
  else expect(said).toEqual([expect.stringMatching(says)])
})

test.each(ACTIONS)('$name, refused: it is said, and nothing is loaded anew', async ({ run, state, route }) => {
  const { page, used, since } = await everything()
  page.answer(route, () => problem(403, 'FORBIDDEN'))
  expect(await during(() => run(used.current))).toMatchObject({
    ok: false,
    error: { status: 403, code: 'FORBIDDEN' },
  })
  expect(state(used.current)).toEqual({ busy: false, isOfInput: true, code: 'FORBIDDEN' })
  expect(since()).toEqual([route])
  expect(page.sallyport.page.getState().notices).toEqual([])
})

test('revoking the session of this page signs out', async () => {
  const { page, used } = await everything()
  await during(() => used.current.sessions.revoke.run('sid-1'))
  expect(page.sallyport.page.getState().auth).toEqual({ status: 'signed-out', reason: 'SESSION_REVOKED' })
})
