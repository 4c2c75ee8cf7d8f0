import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import { clientKey } from '../support/dpop.ts'
import type { Answer, Nodes } from '../support/nodes.ts'
import { App, ISSUER, startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'
const AT_HOME = '198.51.100.7'
const FAR_AWAY = '203.0.114.7'
const EDGE =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'

const GEO: SallyportOptions['geo'] = {
  lookup: (address) =>
    address === FAR_AWAY
      ? { country: 'JP', city: 'Tokyo', latitude: 35.68, longitude: 139.69 }
      : { country: 'AT', city: 'Vienna', latitude: 48.2, longitude: 16.37 },
}

interface From {
  readonly device?: string
  readonly address?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly node?: number
}

interface Person {
  readonly email: string
  readonly userId: string
  readonly tenantId: string
  readonly app: App
}

interface Tokens {
  readonly refreshToken: string
  readonly accessToken: string
  readonly sessionId: string
}

class World {
  readonly nodes: Nodes
  #people = 0

  constructor(nodes: Nodes) {
    this.nodes = nodes
  }

  async person(): Promise<Person> {
    const email = `risk${this.#people++}@example.com`
    const signedUp = await this.nodes.send(
      'POST',
      '/auth/sign-up',
      { email, password: PASSWORD, name: 'Ada', tenantName: `Engines ${this.#people}` },
      { address: AT_HOME },
    )
    equal(signedUp.status, 201)
    const token = signedUp.body.accessToken
    const begun = await this.nodes.send('POST', '/security/mfa/totp', {}, { token })
    const app = new App(begun.body.secret, this.nodes.clock)
    const given = { factorId: begun.body.factorId, code: app.code }
    equal((await this.nodes.send('POST', '/security/mfa/totp/confirm', given, { token })).status, 200)
    return { email, userId: signedUp.body.user.id, tenantId: signedUp.body.tenant.id, app }
  }

  login({ email }: Pick<Person, 'email'>, { device, ...from }: From = {}): Promise<Answer> {
    const body = { email, password: PASSWORD, ...(device !== undefined && { deviceFingerprint: device }) }
    return this.nodes.send('POST', '/auth/login', body, { address: AT_HOME, ...from })
  }

  /** Through the second factor where it is asked for. */
  async signIn(person: Person, from: From = {}): Promise<Tokens> {
    let answer = await this.login(person, from)
    if (answer.status === 428) {
      const given = { stepUpToken: answer.body.stepUpToken, code: person.app.next() }
      answer = await this.nodes.send('POST', '/auth/login/step-up', given, { address: from.address ?? AT_HOME })
    }
    equal(answer.status, 200)
    return tokensOf(answer)
  }

  refresh({ refreshToken }: Pick<Tokens, 'refreshToken'>, { device, ...from }: From = {}, more = {}): Promise<Answer> {
    const body = { refreshToken, ...(device !== undefined && { deviceFingerprint: device }), ...more }
    return this.nodes.send('POST', '/auth/refresh', body, { address: AT_HOME, ...from })
  }

  async me({ accessToken }: Pick<Tokens, 'accessToken'>, node?: number): Promise<number> {
    const on = node === undefined ? {} : { node }
    return (await this.nodes.send('GET', '/auth/me', undefined, { token: accessToken, ...on })).status
  }

  verify(stepUpToken: string, code: string): Promise<Answer> {
    return this.nodes.send(
      'POST',
      '/security/step-up/verify',
      { purpose: 'session_risk', code },
      { token: stepUpToken },
    )
  }

  /** The newest audit row of the tenant with this action. */
  async audited({ tenantId }: Person, action: string) {
    const [row] = await this.nodes.rows(
      `select outcome, failure_reason as reason, metadata, country from audit_logs where tenant_id = $1 and action = $2
        order by created_at desc, id desc limit 1`,
      [tenantId, action] as never[],
    )
    return row as { outcome: string; reason: string | null; metadata: Record<string, never>; country: string | null }
  }

  async session(sessionId: string) {
    const [row] = await this.nodes.rows(
      `select s.revoke_reason, s.step_up_required_at is not null as waits, s.country, s.device_fingerprint, f.generation,
          f.revoked_at is not null as ended, st.session_version as version
        from user_sessions s join token_families f on f.session_id = s.id join tenant_staff st on st.id = s.staff_id
        where s.id = $1`,
      [sessionId] as never[],
    )
    return row as Record<string, unknown>
  }

  /** Until every node has polled the feed. */
  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 300))
  }
}

function tokensOf({ body }: Answer): Tokens {
  return { refreshToken: body.refreshToken, accessToken: body.accessToken, sessionId: body.session.id }
}

describe.skipIf(!hasPostgres)('risk on two nodes', () => {
  let nodes: Nodes
  let world: World
  beforeAll(async () => {
    nodes = await startNodes(2, { geo: GEO, risk: { thresholds: { rapidSessions: 0 } } })
    world = new World(nodes)
  })
  afterAll(() => nodes?.close())

  test('a stolen token makes the session wait everywhere; the owner steps up and goes on; the thief does not', async () => {
    const owner = await world.person()
    const before = await world.signIn(owner, { device: 'phone' })
    const tokens = tokensOf(await world.refresh(before, { device: 'phone' }))
    // Its access tokens of either generation, on either node.
    const all = async () => Promise.all([before, tokens].flatMap((one) => [world.me(one, 0), world.me(one, 1)]))
    deepEqual(await all(), [200, 200, 200, 200])

    const stolen = await world.refresh(tokens, { device: 'thief', node: 0 })
    deepEqual([stolen.status, stolen.body.error, stolen.body.purpose], [428, 'STEP_UP_REQUIRED', 'session_risk'])
    deepEqual([stolen.body.score, stolen.body.reasons], [60, ['DEVICE_MISMATCH']])
    deepEqual(stolen.body.factors, ['totp', 'recovery_code'])
    match(stolen.headers.get('www-authenticate') ?? '', /insufficient_user_authentication", max_age=600/)
    const row = await world.audited(owner, 'STEP_UP_REQUIRED')
    deepEqual(
      [row.metadata['score'], row.metadata['reasons'], row.metadata['level']],
      [60, ['DEVICE_MISMATCH'], 'elevated'],
    )
    const waiting = await world.session(tokens.sessionId)
    deepEqual([waiting['waits'], waiting['generation'], waiting['ended']], [true, 1, false])
    await world.settle()
    deepEqual(await all(), [428, 428, 428, 428])

    const asked = await world.refresh(tokens, { device: 'phone', node: 1 })
    deepEqual([asked.status, asked.body.score, asked.body.reasons], [428, 60, ['DEVICE_MISMATCH']])
    equal((await world.verify(asked.body.stepUpToken, owner.app.next())).status, 200)

    // The thief is first, with what he was handed and without: the owner's code is not his.
    for (const more of [{}, { stepUpToken: stolen.body.stepUpToken }]) {
      equal((await world.refresh(tokens, { device: 'thief' }, more)).status, 428)
      equal((await world.refresh(tokens, {}, { stepUpToken: asked.body.stepUpToken })).status, 428)
    }
    const passed = await world.refresh(tokens, { device: 'phone' })
    equal(passed.status, 200)
    await world.settle()
    deepEqual([await world.me(tokensOf(passed), 0), await world.me(tokensOf(passed), 1)], [200, 200])
    const after = await world.session(tokens.sessionId)
    deepEqual([after['waits'], after['generation'], after['device_fingerprint']], [false, 2, 'phone'])
    // The step-up is used up, and the next refresh is an ordinary one.
    equal((await world.refresh(tokensOf(passed), { device: 'phone' })).status, 200)
  })

  test('a client without a device uses its own step-up token, and nobody else’s does', async () => {
    const owner = await world.person()
    const tokens = await world.signIn(owner)
    const abroad = { address: FAR_AWAY }
    const asked = await world.refresh(tokens, abroad)
    equal(asked.status, 428)
    deepEqual(asked.body.reasons, ['NEW_COUNTRY', 'NEW_CITY', 'IMPOSSIBLE_TRAVEL', 'ADDRESS_CHANGED'])
    const thief = await world.refresh(tokens, abroad)
    equal((await world.verify(asked.body.stepUpToken, owner.app.next())).status, 200)
    equal((await world.refresh(tokens, abroad)).status, 428)
    equal((await world.refresh(tokens, abroad, { stepUpToken: thief.body.stepUpToken })).status, 428)
    equal((await world.refresh(tokens, abroad, { stepUpToken: asked.body.stepUpToken })).status, 200)
    equal((await world.session(tokens.sessionId))['country'], 'JP')
  })

  test('place and device move when a refresh passes, and not before', async () => {
    const owner = await world.person()
    const tokens = await world.signIn(owner, { device: 'phone' })
    equal(
      (await world.refresh(tokens, { device: 'thief', address: FAR_AWAY, headers: { 'x-request-id': 'a' } })).status,
      401,
    )
    const other = await world.signIn(owner, { device: 'phone' })
    const moved = await world.refresh(other, { device: 'phone', address: FAR_AWAY })
    // The soft signals are suspended on a device that has just passed a step-up.
    deepEqual([moved.status, (await world.session(other.sessionId))['country']], [200, 'JP'])
    equal(moved.body.session.country, 'JP')
    const row = await world.audited(owner, 'AUTH_TOKEN_REFRESH')
    deepEqual([row.metadata['score'], row.metadata['reasons'], row.country], [0, [], 'JP'])
  })

  test('90 and above ends family, session and version, and tells the owner', async () => {
    const owner = await world.person()
    const tokens = await world.signIn(owner, { device: 'phone' })
    const before = await world.session(tokens.sessionId)
    const from = { device: 'thief', address: FAR_AWAY, headers: { 'user-agent': EDGE } }
    const blocked = await world.refresh(tokens, from)
    deepEqual([blocked.status, blocked.body.error, blocked.body.reason], [401, 'SESSION_BLOCKED', 'high_risk_activity'])
    equal(blocked.body.score, 100)
    const row = await world.audited(owner, 'SUSPICIOUS_LOGIN_DETECTED')
    deepEqual([row.metadata['score'], row.metadata['reasons']], [blocked.body.score, blocked.body.reasons])
    deepEqual([row.metadata['level'], row.outcome, row.reason], ['critical', 'FAIL', 'SESSION_BLOCKED'])
    const after = await world.session(tokens.sessionId)
    deepEqual([after['revoke_reason'], after['ended']], ['high_risk', true])
    equal(after['version'], (before['version'] as number) + 1)
    await world.settle()
    deepEqual([await world.me(tokens, 0), await world.me(tokens, 1)], [401, 401])
    ok(nodes.mails.some(({ to, kind }) => to === owner.email && kind === 'security_alert'))
    equal((await world.refresh(tokens, { device: 'phone' })).body.error, 'REFRESH_TOKEN_REVOKED')
  })

  test('a sign-in is asked at 60, and stopped at 90 without touching the other sessions', async () => {
    const owner = await world.person()
    const tokens = await world.signIn(owner, { device: 'phone' })
    const asked = await world.login(owner, { device: 'laptop', address: FAR_AWAY })
    // NEW_DEVICE 30, NEW_COUNTRY 25, NEW_CITY 10, IMPOSSIBLE_TRAVEL 25.
    deepEqual([asked.status, asked.body.reason, asked.body.score], [401, 'high_risk_activity', 90])
    const row = await world.audited(owner, 'SUSPICIOUS_LOGIN_DETECTED')
    deepEqual([row.metadata['score'], row.metadata['reasons']], [asked.body.score, asked.body.reasons])
    equal(await world.me(tokens), 200)
    const held = await world.login(owner, { address: FAR_AWAY })
    deepEqual([held.status, held.body.score], [428, 60])
    const required = await world.audited(owner, 'STEP_UP_REQUIRED')
    deepEqual([required.metadata['score'], required.metadata['reasons']], [held.body.score, held.body.reasons])
    equal(required.metadata['level'], 'elevated')
  })

  test('a family that is bound to a key is refreshed by proofs of it alone, each good once on all nodes', async () => {
    const owner = await world.person()
    const key = clientKey()
    const proof = (path: string, by = key) => ({ dpop: by.proof({ htu: `${ISSUER}/api${path}` }) })
    const bad = await world.login(owner, { headers: proof('/auth/refresh') })
    deepEqual([bad.status, bad.body.error], [401, 'INVALID_DPOP_PROOF'])
    const tokens = await world.signIn(owner, { headers: proof('/auth/login') })

    const missing = await world.refresh(tokens)
    deepEqual([missing.status, missing.body.error], [401, 'INVALID_DPOP_PROOF'])
    match(missing.headers.get('www-authenticate') ?? '', /^DPoP error="invalid_dpop_proof"/)
    equal((await world.refresh(tokens, { headers: proof('/auth/refresh', clientKey()) })).status, 401)
    const headers = proof('/auth/refresh')
    const passed = await world.refresh(tokens, { headers, node: 0 })
    equal(passed.status, 200)
    const claims = JSON.parse(Buffer.from(passed.body.accessToken.split('.')[1], 'base64url').toString())
    match(claims.cnf.jkt, /^[A-Za-z0-9_-]{43}$/)
    equal((await world.refresh(tokensOf(passed), { headers, node: 1 })).status, 401)
    const once = proof('/auth/refresh')
    const many = await Promise.all(
      Array.from({ length: 10 }, (_, node) => world.refresh(tokensOf(passed), { headers: once, node: node % 2 })),
    )
    equal(many.filter(({ status }) => status === 200).length, 1)
  })

  test('a lineage that somebody travels along with is asked for a step-up; a lost response now and then is not', async () => {
    const owner = await world.person()
    let tokens = await world.signIn(owner, { device: 'phone' })
    const ride = async (along: From) => {
      const next = await world.refresh(tokens, { device: 'phone' })
      equal(next.status, 200)
      const again = await world.refresh(tokens, { device: 'phone', ...along })
      deepEqual([again.status, again.body.refreshToken], [200, next.body.refreshToken])
      tokens = tokensOf(next)
    }
    // Racing tabs, however many generations long.
    for (let generation = 0; generation < 6; generation++) await ride({})
    equal((await world.refresh(tokens, { device: 'phone' })).status, 200)
    tokens = await world.signIn(owner, { device: 'phone' })
    for (let generation = 0; generation < 5; generation++) await ride({ address: FAR_AWAY })
    const asked = await world.refresh(tokens, { device: 'phone' })
    deepEqual([asked.status, asked.body.score, asked.body.reasons], [428, 60, ['SHARED_LINEAGE']])
    equal((await world.verify(asked.body.stepUpToken, owner.app.next())).status, 200)
    const passed = await world.refresh(tokens, { device: 'phone' })
    equal(passed.status, 200)
    equal((await world.refresh(tokensOf(passed), { device: 'phone' })).status, 200)
  })

  test('a device gets one cookie, and is known by it', async () => {
    const owner = await world.person()
    const first = await world.login(owner)
    const cookie = first.headers.get('set-cookie') ?? ''
    match(cookie, /^sallyport-device=d1\.[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    const tokens = await world.signIn(owner, { headers })
    const again = await world.login(owner, { headers })
    deepEqual([again.status, again.headers.get('set-cookie')], [200, null])
    notEqual(
      (await world.login(owner, { headers: { cookie: `${headers.cookie.slice(0, -1)}x` } })).headers.get('set-cookie'),
      null,
    )
    equal((await world.refresh(tokens, { headers })).status, 200)
  })

  test('incidents list the stops of the tenant, and a case file holds what belongs to one', async () => {
    const owner = await world.person()
    const stolen = await world.signIn(owner, { device: 'phone' })
    const from = { device: 'thief', address: FAR_AWAY, headers: { 'user-agent': EDGE } }
    equal((await world.refresh(stolen, from)).status, 401)
    const { accessToken } = await world.signIn(owner, { device: 'phone' })
    const list = await nodes.send('GET', '/security/incidents', undefined, { token: accessToken })
    equal(list.status, 200)
    deepEqual(
      list.body.incidents.map(({ reason, score }: { reason: string; score: number }) => [reason, score]),
      [['high_risk_activity', 100]],
    )
    const file = await nodes.send('GET', `/security/incidents/${list.body.incidents[0].id}`, undefined, {
      token: accessToken,
    })
    equal(file.status, 200)
    ok(file.body.events.some(({ action }: { action: string }) => action === 'SESSION_REVOKED'))
    ok(file.body.events.some(({ action }: { action: string }) => action === 'AUTH_LOGIN'))
    const stranger = await world.signIn(await world.person())
    equal(
      (
        await nodes.send('GET', `/security/incidents/${list.body.incidents[0].id}`, undefined, {
          token: stranger.accessToken,
        })
      ).status,
      404,
    )
  })
})

describe.skipIf(!hasPostgres)('the hard stop and the cap', () => {
  test('more than three young sessions stop the next sign-in, and a refresh of one of them ends that one', async () => {
    const nodes = await startNodes(2)
    try {
      const world = new World(nodes)
      const owner = await world.person()
      const made: Tokens[] = []
      // The session of the sign-up is the first.
      for (let count = 0; count < 3; count++) made.push(await world.signIn(owner, { device: 'phone' }))
      const stopped = await world.login(owner, { device: 'phone' })
      deepEqual(
        [stopped.status, stopped.body.error, stopped.body.reason],
        [401, 'SESSION_BLOCKED', 'rapid_token_creation'],
      )
      equal((await world.audited(owner, 'SUSPICIOUS_LOGIN_DETECTED')).metadata['reason'], 'rapid_token_creation')
      const [one, two] = made as [Tokens, Tokens, Tokens]
      const ended = await world.refresh(one, { device: 'phone' })
      deepEqual([ended.status, ended.body.reason], [401, 'rapid_token_creation'])
      equal((await world.session(one.sessionId))['revoke_reason'], 'rapid_creation')
      equal((await world.refresh(two, { device: 'phone' })).status, 200)
      nodes.clock.offsetMs += 11 * 60_000
      equal((await world.login(owner, { device: 'phone' })).status, 200)
    } finally {
      await nodes.close()
    }
  })

  test.each(['deny', 'step-up', 'evict-oldest'] as const)(
    '50 parallel sign-ins never exceed the cap: %s',
    async (policy) => {
      const nodes = await startNodes(2, {
        sessionLimit: { max: 3, policy },
        risk: { thresholds: { rapidSessions: 0 }, weights: { MANY_ACTIVE_SESSIONS: 0 } },
        mfa: { atSignIn: 'risk' },
      })
      try {
        const email = 'cap@example.com'
        const signUp = { email, password: PASSWORD, name: 'Ada', tenantName: 'Caps' }
        equal((await nodes.send('POST', '/auth/sign-up', signUp)).status, 201)
        const world = new World(nodes)
        const answers = await Promise.all(Array.from({ length: 50 }, () => world.login({ email })))
        const count = (status: number) => answers.filter((answer) => answer.status === status).length
        const refused = policy === 'step-up' ? 428 : 409
        deepEqual([count(200), count(refused)], policy === 'evict-oldest' ? [50, 0] : [2, 48])
        const live = await nodes.rows('select id from user_sessions where revoked_at is null')
        equal(live.length, 3)
        if (policy === 'deny') equal(answers.find(({ status }) => status === 409)?.body.error, 'SESSION_LIMIT')
        if (policy === 'evict-oldest') {
          const evicted = await nodes.rows(
            `select 1 from audit_logs where action = 'SESSION_REVOKED' and metadata->>'reason' = 'evicted'`,
          )
          equal(evicted.length, 48)
        }
      } finally {
        await nodes.close()
      }
    },
  )

  test('without a usable factor 60 is a refusal that changes nothing', async () => {
    const nodes = await startNodes(1, { stepUp: { emailCodes: false } })
    try {
      const world = new World(nodes)
      const signUp = { email: 'none@example.com', password: PASSWORD, name: 'Ada', tenantName: 'None' }
      equal((await nodes.send('POST', '/auth/sign-up', signUp)).status, 201)
      const tokens = tokensOf(await world.login(signUp, { device: 'phone' }))
      const refused = await world.refresh(tokens, { device: 'thief' })
      deepEqual([refused.status, refused.body.error, refused.body.reason], [401, 'SESSION_BLOCKED', 'no_factor'])
      deepEqual([refused.body.score, refused.body.reasons], [60, ['DEVICE_MISMATCH']])
      equal((await world.refresh(tokens, { device: 'phone' })).status, 200)
    } finally {
      await nodes.close()
    }
  })

  test('a signal that fails refuses with 503 and shows in readiness; in monitor mode it does not stop anyone', async () => {
    let fails = true
    const signals = [
      {
        name: 'HOST_SIGNAL',
        points: 95,
        soft: false,
        find: () => (fails ? Promise.reject(new Error('away')) : Promise.resolve({ evidence: { seen: true } })),
      },
    ]
    const nodes = await startNodes(1, { risk: { signals } })
    const watching = await startNodes(1, { risk: { signals, mode: 'monitor' } })
    try {
      const [world, watched] = [new World(nodes), new World(watching)]
      const signUp = { email: 'host@example.com', password: PASSWORD, name: 'Ada', tenantName: 'Host' }
      const tokens = tokensOf(await nodes.send('POST', '/auth/sign-up', signUp, { address: AT_HOME }))
      const refused = await world.refresh(tokens)
      deepEqual([refused.status, refused.body.error], [503, 'UNAVAILABLE'])
      equal((await world.login(signUp)).status, 503)
      const { ok: ready, checks } = await nodes.node(0).ready()
      deepEqual([ready, checks.risk], [false, 'broken'])
      fails = false
      equal((await world.refresh(tokens)).body.reason, 'high_risk_activity')
      equal((await nodes.node(0).ready()).checks.risk, 'ok')

      const seen = tokensOf(await watching.send('POST', '/auth/sign-up', signUp, { address: AT_HOME }))
      equal((await watched.refresh(seen)).status, 200)
      const [row] = await watching.rows(`select metadata from audit_logs where action = 'AUTH_TOKEN_REFRESH'`)
      const { score, reasons, wouldBe } = (row?.['metadata'] ?? {}) as Record<string, unknown>
      deepEqual([score, reasons, wouldBe], [95, ['HOST_SIGNAL'], 'block'])
    } finally {
      await nodes.close()
      await watching.close()
    }
  })
})
