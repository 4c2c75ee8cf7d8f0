/**
 * A service in a few lines: what its refresh tokens do is the retry rule of the real one, and its answers can be lost, late and wrong.
 *
 * @module
 */

/** One session of the service, and all that it has handed out. */
interface Family {
  readonly sid: string
  readonly userId: string
  generation: number
  consumedAt: number
  confirmed: boolean
  ended?: string
  waits?: boolean
  readonly opened: Set<string>
}

/** What a request says. */
export interface Asked {
  readonly name: string
  readonly request: Request
  // A test reads what it expects and fails where it is not there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
  readonly token: string | undefined
}

export interface FakeService {
  /** How long an access token lives, in seconds. */
  lifeSeconds: number
  /** Every request that arrived. */
  readonly asked: Asked[]
  /** How often a token came back that a thief alone would bring. */
  reuses: number
  /** Looks at a request before it is served: throws, waits, or answers in the service's place. */
  before: (asked: Asked) => unknown
  /** Looks at an answer before it leaves. */
  after: (asked: Asked, answer: Response) => unknown
  serve(request: Request, cookie: string | undefined): Promise<Response>
  /** How many requests of an operation arrived. */
  count(name: string): number
  /** Ends a session from somewhere else. */
  revoke(sid: string, code?: string): void
  family(sid: string): Family
  /** Signs somebody in without a client. */
  issue(userId: string): { readonly sid: string; readonly refreshToken: string }
}

export const SERVICE = 'https://auth.example.com'
const OVERLAP_MS = 10_000
const UNBOUND_MS = 30_000

const NAMES: Readonly<Record<string, string>> = {
  '/api/auth/login': 'login',
  '/api/auth/sign-up': 'signUp',
  '/api/auth/login/step-up': 'loginStepUp',
  '/api/auth/refresh': 'refresh',
  '/api/auth/logout': 'logout',
  '/api/auth/me': 'me',
  '/api/auth/password': 'changePassword',
  '/api/security/step-up/verify': 'verifyStepUp',
  '/api/security/step-up/email-code': 'sendEmailCode',
  '/api/security/impersonate/exit': 'exitImpersonation',
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': type, ...headers } })
}

export function problem(status: number, error: string, facts: object = {}, headers = {}): Response {
  return json(status, { error, detail: 'as it is', status, title: 't', type: 'u', requestId: 'r-1', ...facts }, headers)
}

export function fakeService(): FakeService {
  const families = new Map<string, Family>()
  const stepUps = new Map<string, string>()
  let minted = 0

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const accessToken = (family: Family, more: object = {}) =>
    `h.${encode({ sid: family.sid, gen: family.generation, n: ++minted, ...more })}.s`
  const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const refreshToken = ({ sid, generation }: Family) => `sprt_${sid}_${generation}`
  const who = (family: Family) => ({
    user: { id: family.userId, name: family.userId, email: null, emailVerified: true },
    tenant: { id: 't1', slug: null, name: 'Engines' },
    staff: { id: `s-${family.userId}`, role: 'owner', permissions: [] },
    session: { id: family.sid },
  })
  const begin = (userId: string): Family => {
    const family: Family = {
      sid: `sid-${families.size + 1}`,
      userId,
      generation: 1,
      consumedAt: 0,
      confirmed: false,
      opened: new Set(),
    }
    families.set(family.sid, family)
    return family
  }
  const tokens = (family: Family, delivery: string, status = 200): Response => {
    const cookie = delivery === 'cookie'
    const answer = json(status, {
      ...who(family),
      accessToken: accessToken(family),
      expiresIn: service.lifeSeconds,
      ...(!cookie && { refreshToken: refreshToken(family) }),
    })
    if (cookie) {
      answer.headers.append('set-cookie', `session=${refreshToken(family)}`)
      // By the second, as of the token.
      answer.headers.append('set-cookie', `iat=${Math.floor(Date.now() / 1000) * 1000}`)
    }
    return answer
  }
  const cleared = (answer: Response) => {
    answer.headers.append('set-cookie', 'session=')
    answer.headers.append('set-cookie', 'iat=')
    return answer
  }

  function refresh(presented: string | undefined, delivery: string, stepUpToken: unknown): Response {
    if (presented === undefined) return problem(400, 'INVALID_REQUEST', { field: 'refreshToken' })
    const [, sid = '', given = '0'] = presented.split('_')
    const family = families.get(sid)
    if (family === undefined) return problem(401, 'REFRESH_TOKEN_INVALID')
    if (family.ended !== undefined) return problem(401, family.ended)
    const behind = family.generation - Number(given)
    const age = Date.now() - family.consumedAt
    if (behind === 0) {
      if (family.waits && stepUps.get(String(stepUpToken)) !== 'passed') {
        const token = `su-${sid}-${++minted}`
        stepUps.set(token, sid)
        return problem(428, 'STEP_UP_REQUIRED', {
          purpose: 'session_risk',
          factors: ['totp'],
          score: 60,
          reasons: ['DEVICE_MISMATCH'],
          stepUpToken: token,
        })
      }
      family.waits = false
      family.generation++
      family.consumedAt = Date.now()
      family.confirmed = false
      return tokens(family, delivery)
    }
    if (behind === 1 && (age <= OVERLAP_MS || (!family.confirmed && age <= UNBOUND_MS))) return tokens(family, delivery)
    if (behind > 1 && age <= OVERLAP_MS) return problem(409, 'RETRY')
    service.reuses++
    family.ended = 'REFRESH_TOKEN_REUSED'
    return problem(401, 'REFRESH_TOKEN_REUSED')
  }

  function answer({ name, request, body, token }: Asked, cookie: string | undefined): Response {
    const url = new URL(request.url)
    switch (name) {
      case 'login':
      case 'signUp':
        if (body.password === 'wrong') return problem(401, 'INVALID_CREDENTIALS')
        if (body.password === 'by mail') return json(202, { success: true })
        if (body.password === 'held') {
          stepUps.set(`su-${body.email}`, `${body.email}|${body.delivery}`)
          const facts = { purpose: 'sign_in', factors: ['totp', 'passkey'], stepUpToken: `su-${body.email}` }
          return problem(428, 'STEP_UP_REQUIRED', facts)
        }
        return tokens(begin(body.email), body.delivery, name === 'signUp' ? 201 : 200)
      case 'loginStepUp': {
        if (body.code !== '123456') return problem(400, 'INVALID_OTP')
        const [email = '', delivery = ''] = (stepUps.get(body.stepUpToken) ?? '').split('|')
        return tokens(begin(email), delivery)
      }
      case 'refresh':
        return refresh(
          body.refreshToken ?? cookie,
          body.refreshToken === undefined ? 'cookie' : 'body',
          body.stepUpToken,
        )
      case 'logout': {
        const [, sid = ''] = (body.refreshToken ?? cookie ?? '').split('_')
        const family = families.get(sid) ?? families.get(token === undefined ? '' : claims(token).sid)
        if (family) family.ended ??= 'REFRESH_TOKEN_REVOKED'
        return cleared(json(200, { ok: true }))
      }
    }
    if (token?.startsWith('su-')) {
      if (name !== 'verifyStepUp') return json(202, { success: true })
      if (body.code !== '123456') return problem(400, 'INVALID_OTP')
      stepUps.set(token, 'passed')
      return json(200, { success: true })
    }
    if (token === undefined) return problem(401, 'MISSING_TOKEN')
    const { sid, gen, exp, act } = claims(token)
    const family = families.get(sid)
    if (family === undefined) return problem(401, 'INVALID_TOKEN')
    if (family.ended !== undefined) return problem(401, 'SESSION_REVOKED')
    if (exp !== undefined && exp < Date.now()) return problem(401, 'TOKEN_EXPIRED')
    if (family.waits) return problem(428, 'STEP_UP_REQUIRED', { purpose: 'session_risk' })
    if (gen === family.generation) family.confirmed = true
    if (name === 'me') {
      const impersonation = act === undefined ? null : { realUser: { id: act, name: act }, reason: 'why' }
      return json(200, { ...who(family), impersonation, factors: [] })
    }
    if (name === 'verifyStepUp') {
      if (body.code !== '123456') return problem(400, 'INVALID_OTP')
      family.opened.add(body.purpose)
      return json(200, { success: true })
    }
    if (name === 'changePassword') {
      return json(200, { accessToken: accessToken(family), expiresIn: service.lifeSeconds, session: { id: sid } })
    }
    const purpose =
      url.searchParams.get('stepUp') ??
      (/impersonate\/\w+$/.test(url.pathname) && act === undefined ? 'impersonate' : null)
    if (name !== 'exitImpersonation' && purpose !== null && !family.opened.has(purpose)) {
      return problem(428, 'STEP_UP_REQUIRED', { purpose, factors: ['totp'] })
    }
    if (name === 'exitImpersonation') {
      family.ended = 'SESSION_REVOKED'
      return json(200, { success: true })
    }
    if (/impersonate\//.test(url.pathname)) {
      const acting = begin('the member')
      return json(200, {
        accessToken: accessToken(acting, { act: family.userId }),
        expiresIn: 1800,
        session: { id: acting.sid },
      })
    }
    if (url.pathname.endsWith('/revoke')) {
      const current = url.pathname.includes(sid)
      if (current) family.ended = 'REFRESH_TOKEN_REVOKED'
      const done = json(200, { success: true, currentRevoked: current })
      return current ? cleared(done) : done
    }
    return json(200, { user: family.userId, method: request.method, path: url.pathname, query: url.search, body })
  }

  const service: FakeService = {
    lifeSeconds: 600,
    asked: [],
    reuses: 0,
    before: () => undefined,
    after: () => undefined,
    async serve(request, cookie) {
      const text = await request.text()
      const asked: Asked = {
        name: NAMES[new URL(request.url).pathname] ?? 'other',
        request,
        body: text === '' ? {} : JSON.parse(text),
        token: request.headers.get('authorization')?.slice('Bearer '.length),
      }
      service.asked.push(asked)
      const instead = await service.before(asked)
      if (instead instanceof Response) return instead
      const answered = answer(asked, cookie)
      const other = await service.after(asked, answered)
      return other instanceof Response ? other : answered
    },
    count: (name) => service.asked.filter((one) => one.name === name).length,
    revoke(sid, code = 'REFRESH_TOKEN_REVOKED') {
      service.family(sid).ended = code
    },
    family(sid) {
      const family = families.get(sid)
      if (family === undefined) throw new Error(`no session ${sid}`)
      return family
    },
    issue(userId) {
      const family = begin(userId)
      return { sid: family.sid, refreshToken: refreshToken(family) }
    },
  }
  return service
}
