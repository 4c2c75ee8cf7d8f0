import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OTHER_PASSWORD, PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

/** Where somebody is, and with what. */
interface From {
  readonly address: string
  readonly agent: string
  readonly device?: string
}
const AT_HOME: From = { address: '198.51.100.7', agent: FIREFOX, device: 'laptop' }
const THIEF: From = { address: '203.0.113.66', agent: CHROME, device: 'other' }
const PLACES: Readonly<Record<string, { country: string; city: string }>> = {
  [AT_HOME.address]: { country: 'DE', city: 'Berlin' },
  [THIEF.address]: { country: 'BR', city: 'Recife' },
}

interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

let api: InProcess
let owner: Member
beforeAll(async () => {
  api = await openInProcess({ trustedProxies: 1, geo: { lookup: (address) => PLACES[address] } })
  owner = await api.signUp()
})
afterAll(() => api?.close())

const headersOf = ({ address, agent }: From) => ({ 'x-forwarded-for': address, 'user-agent': agent })
const shown = ({ device }: From) => (device === undefined ? {} : { deviceFingerprint: device })

async function signIn(member: Member, from: From): Promise<Tokens & { readonly sessionId: string }> {
  const body = { email: member.email, password: PASSWORD, ...shown(from) }
  const { body: answer, text } = await api.send('POST', '/api/auth/login', { body, headers: headersOf(from) })
  expect(answer.accessToken, text).toBeTruthy()
  return { accessToken: answer.accessToken, refreshToken: answer.refreshToken, sessionId: answer.session.id }
}

const refresh = (refreshToken: string, from: From): Promise<Sent> =>
  api.send('POST', '/api/auth/refresh', { body: { refreshToken, ...shown(from) }, headers: headersOf(from) })

async function rotate(refreshToken: string, from: From): Promise<Tokens> {
  const { status, body, text } = await refresh(refreshToken, from)
  expect(status, text).toBe(200)
  // Late enough that no retry rule explains a token that comes again.
  await api.advance(60_000)
  return body
}

/** Asks for something that is recorded, with an access token. */
const act = (accessToken: string, from: From): Promise<Sent> =>
  api.send('POST', '/api/security/sessions/revoke-others', { token: accessToken, headers: headersOf(from) })

async function caught(refreshToken: string, from: From) {
  const answer = await refresh(refreshToken, from)
  expect(answer.body.error, answer.text).toBe('REFRESH_TOKEN_REUSED')
  return newestFile()
}

async function newestFile() {
  const fresh = await api.login(owner.email)
  const list = await api.send('GET', '/api/security/incidents', { token: fresh.accessToken })
  const file = await api.send('GET', `/api/security/incidents/${list.body.incidents[0].id}`, {
    token: fresh.accessToken,
  })
  expect(file.status, file.text).toBe(200)
  return file.body
}

const told = (actions: readonly { action: string; ipAddress: string; attributedBy: string | null }[]) =>
  actions.map(({ action, ipAddress, attributedBy }) => [action, ipAddress, attributedBy])

describe('a theft that the thief’s return betrays', () => {
  let member: Member
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects and fails where it is not there
  let file: any
  let stolen: string
  let others: Tokens & { readonly sessionId: string }

  beforeAll(async () => {
    member = await api.join(owner, 'member')
    others = await signIn(member, { address: '198.51.100.8', agent: CHROME })
    const first = await signIn(member, AT_HOME)
    const second = await rotate(first.refreshToken, AT_HOME)
    stolen = second.refreshToken
    const third = await rotate(second.refreshToken, AT_HOME)
    await act(third.accessToken, AT_HOME)
    await rotate(third.refreshToken, AT_HOME)
    file = await caught(stolen, THIEF)
  })

  test('has the lineage as two branches, from the generation that both held', () => {
    expect(file.incident).toMatchObject({
      reason: 'reuse_detected',
      userId: member.userId,
      userName: 'Mo',
      staffId: member.staffId,
      ipAddress: THIEF.address,
      country: 'BR',
      city: 'Recife',
    })
    expect(file.family).toMatchObject({ binding: 'none', generations: 4 })
    expect(file.parted.generation).toBe(1)
    expect(file.before.map(({ generation }: { generation: number }) => generation)).toEqual([0, 1])
    expect(file.before[1]).toMatchObject({ reusedAt: expect.any(String) as string, usedAt: file.parted.at })
    const [wentOn, cameBack] = file.branches
    expect(wentOn).toMatchObject({ id: 'went_on', ipAddress: AT_HOME.address, country: 'DE', city: 'Berlin' })
    expect(wentOn.tokens.map(({ generation }: { generation: number }) => generation)).toEqual([2, 3])
    expect(wentOn.tokens[0]).toMatchObject({ city: 'Berlin', device: { browser: 'Firefox 140', type: 'desktop' } })
    expect(cameBack).toMatchObject({ id: 'came_back', ipAddress: THIEF.address, country: 'BR', tokens: [] })
    expect(cameBack.deviceId).not.toBe(wentOn.deviceId)
  })

  test('tells who resembles the session as it was, without calling it proof of more', () => {
    const [wentOn, cameBack] = file.branches
    expect([wentOn.kind, wentOn.resembles]).toEqual(['owner', { network: true, agent: true, device: true }])
    expect([cameBack.kind, cameBack.resembles]).toEqual(['other', { network: false, agent: false, device: false }])
  })

  test('puts what was done since to the branch whose token it was done with', () => {
    expect(told(file.branches[0].actions)).toEqual([['SESSION_REVOKE_ALL', AT_HOME.address, 'generation']])
    expect(file.branches[1].actions).toEqual([])
    expect(file.undecided).toEqual([])
    expect(file.complete).toBe(true)
  })

  test('tells what was contained, and who was told', () => {
    expect(file.contained).toMatchObject({ scope: 'staff', sessionVersion: 2 })
    expect(file.contained.sessions).toContain(others.sessionId)
    expect(file.contained.families).toBe(file.contained.sessions.length)
    expect(file.told).toEqual([
      { userId: member.userId, name: 'Mo', as: 'person' },
      { userId: owner.userId, name: 'Petra', as: 'admin' },
    ])
  })

  test('tells what to do next, and what of it has been done', async () => {
    const open = (advice: readonly { code: string; done: boolean | null }[]) =>
      Object.fromEntries(advice.map(({ code, done }) => [code, done]))
    expect(open(file.advice)).toEqual({
      ask_person: null,
      force_logout: true,
      reset_password: false,
      enrol_factor: false,
      check_device: null,
      block_address: false,
      bind_key: false,
    })
    const fresh = await api.login(member.email)
    await api.enrol(fresh)
    await api.open(fresh, 'security_settings')
    await api.send('POST', '/api/auth/password', {
      body: { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD },
      token: fresh.accessToken,
    })
    const admin = await api.login(owner.email)
    await api.open(admin, 'ip_rule_change')
    await api.send('POST', '/api/security/ip-rules', {
      body: { type: 'DENY', cidr: `${THIEF.address}/32` },
      token: admin.accessToken,
    })
    expect(open((await newestFile()).advice)).toMatchObject({
      reset_password: true,
      enrol_factor: true,
      block_address: true,
    })
  })

  test('still tells what the incident itself kept, once retention took the family', async () => {
    await api.rows(`delete from refresh_tokens where family_id = '${file.family.id}'`)
    await api.rows(`delete from token_families where id = '${file.family.id}'`)
    const later = await newestFile()
    expect([later.family, later.before]).toEqual([null, []])
    expect(later.parted).toEqual(file.parted)
    expect(later.branches.map(({ ipAddress }: { ipAddress: string }) => ipAddress)).toEqual([
      AT_HOME.address,
      THIEF.address,
    ])
  })
})

describe('a theft that the owner’s return betrays', () => {
  test('has the thief as the branch that went on, with what was done meanwhile', async () => {
    const member = await api.join(owner, 'member')
    const first = await signIn(member, AT_HOME)
    const second = await rotate(first.refreshToken, AT_HOME)
    const thiefs = await rotate(second.refreshToken, { ...THIEF, address: '203.0.113.67' })
    await act(thiefs.accessToken, { ...THIEF, address: '203.0.113.67' })
    // The owner still has an access token of the generation that both held.
    await act(second.accessToken, AT_HOME)
    const file = await caught(second.refreshToken, AT_HOME)
    const [wentOn, cameBack] = file.branches
    expect([wentOn.kind, cameBack.kind]).toEqual(['other', 'owner'])
    expect(told(wentOn.actions)).toEqual([['SESSION_REVOKE_ALL', '203.0.113.67', 'generation']])
    expect(told(cameBack.actions)).toEqual([['SESSION_REVOKE_ALL', AT_HOME.address, 'address_and_agent']])
    expect(file.advice).toContainEqual({ code: 'review_actions', done: null })
    // Whoever comes again afterwards is in the file too.
    await refresh(thiefs.refreshToken, { ...THIEF, address: '203.0.113.68' })
    const later = await newestFile()
    expect(told(later.branches[0].actions)).toContainEqual(['AUTH_REFRESH_FAILED', '203.0.113.68', 'generation'])
  })
})

describe('a theft within one network, with one program, from no known device', () => {
  test('claims nothing: neither who is who, nor whose the rest was', async () => {
    const alike: From = { address: AT_HOME.address, agent: FIREFOX }
    const member = await api.join(owner, 'member')
    const first = await signIn(member, alike)
    const second = await rotate(first.refreshToken, alike)
    await act(first.accessToken, alike)
    await act(second.accessToken, alike)
    // Both show the device cookie of nobody: what is known is the generation alone.
    const file = await caught(first.refreshToken, alike)
    expect(file.branches.map(({ kind }: { kind: string }) => kind)).toEqual(['unknown', 'unknown'])
    expect(told(file.branches[0].actions)).toEqual([['SESSION_REVOKE_ALL', alike.address, 'generation']])
    expect(told(file.undecided)).toEqual([['SESSION_REVOKE_ALL', alike.address, null]])
  })
})

test('a later generation that was handed out elsewhere too no longer tells the two apart', async () => {
  const member = await api.join(owner, 'member')
  const first = await signIn(member, AT_HOME)
  const second = await refresh(first.refreshToken, AT_HOME)
  // Within the window of racing tabs, from elsewhere: the same successor.
  const again = await refresh(first.refreshToken, { ...THIEF, address: '203.0.113.69' })
  expect(again.body.refreshToken).toBe(second.body.refreshToken)
  await api.advance(60_000)
  await act(again.body.accessToken, { ...THIEF, address: '203.0.113.69' })
  await rotate(second.body.refreshToken, AT_HOME)
  const file = await caught(first.refreshToken, { ...THIEF, address: '203.0.113.69' })
  expect(file.branches[0].tokens[0].handedOutAgain).toEqual([
    expect.objectContaining({ ipAddress: '203.0.113.69', cause: expect.any(String) as string }),
  ])
  expect(told(file.undecided)).toEqual([['SESSION_REVOKE_ALL', '203.0.113.69', null]])
})

test('a stop at sign-in has a case file without a lineage', async () => {
  const [row] = await api.rows(`select count(*)::int as n from audit_logs where action = 'SUSPICIOUS_LOGIN_DETECTED'`)
  expect(row?.['n']).toBeGreaterThan(0)
  const strict = await openInProcess({ risk: { mode: 'enforce', blockAt: 60, weights: { NEW_DEVICE: 100 } } })
  try {
    const boss = await strict.signUp()
    await strict.send('POST', '/api/auth/login', {
      body: { email: boss.email, password: PASSWORD, deviceFingerprint: 'a' },
    })
    await strict.advance(660_000)
    const stopped = await strict.send('POST', '/api/auth/login', {
      body: { email: boss.email, password: PASSWORD, deviceFingerprint: 'b' },
    })
    expect(stopped.body.error).toBe('SESSION_BLOCKED')
    const { body } = await strict.send('GET', '/api/security/incidents', { token: boss.accessToken })
    const file = await strict.send('GET', `/api/security/incidents/${body.incidents[0].id}`, {
      token: boss.accessToken,
    })
    expect(file.body).toMatchObject({
      family: null,
      parted: null,
      branches: [],
      contained: { scope: null, sessions: [] },
    })
    expect(file.body.told).toEqual([{ userId: boss.userId, name: 'Petra', as: 'person' }])
    expect(file.body.advice.map(({ code }: { code: string }) => code)).not.toContain('bind_key')
  } finally {
    await strict.close()
  }
})

test('a case file of another tenant, or of what is no incident, is not there', async () => {
  const stranger = await api.signUp({ tenantName: 'Theirs' })
  const [incident] = await api.rows(`select id from audit_logs where action = 'SUSPICIOUS_LOGIN_DETECTED' limit 1`)
  const [login] = await api.rows(
    `select id from audit_logs where action = 'AUTH_LOGIN' and tenant_id = '${stranger.tenantId}' limit 1`,
  )
  for (const id of [incident?.['id'], login?.['id']]) {
    const { status, body } = await api.send('GET', `/api/security/incidents/${String(id)}`, {
      token: stranger.accessToken,
    })
    expect([status, body.error]).toEqual([404, 'NOT_FOUND'])
  }
})
