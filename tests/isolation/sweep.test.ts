/**
 * Every route of the table, tried with every credential that must not open it. What is expected follows from the
 * declaration, so a route that is added is swept without a line here; one whose fields the sweep cannot fill fails it.
 *
 * @module
 */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signAccessToken } from '../../packages/sallyport/src/access-tokens/sign.ts'
import { API_ROUTES } from '../../packages/sallyport/src/http/api.ts'
import type { JsonSchema } from '../../packages/sallyport/src/http/published.ts'
import { jsonSchemaOf } from '../../packages/sallyport/src/http/published.ts'
import type { Route } from '../../packages/sallyport/src/http/route.ts'
import type { RouteRow } from '../../packages/sallyport/src/http/route-table.ts'
import { routeTable } from '../../packages/sallyport/src/http/route-table.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../../packages/sallyport/src/ids.ts'
import { newId } from '../../packages/sallyport/src/ids.ts'
import { serve } from '../processes/support.ts'
import type { InProcess, Member, Sent } from '../support/in-process.ts'
import { openInProcess, withoutRequestId } from '../support/in-process.ts'

type Place = 'params' | 'query' | 'body'
interface Field {
  readonly place: Place
  readonly name: string
}
interface Swept extends RouteRow {
  readonly route: Route<never>
  /** The fields that name something by its id. */
  readonly ids: readonly Field[]
}

const ROUTES: readonly Swept[] = routeTable(API_ROUTES).map((row, index) => {
  const route = API_ROUTES[index] as Route<never>
  return { ...row, route, ids: (['params', 'query', 'body'] as const).flatMap((place) => idFields(route, place)) }
})
const ofSessions = ROUTES.filter(({ auth }) => auth === 'session')

function idFields(route: Route<never>, place: Place): Field[] {
  const schema = route[place]
  if (schema === undefined) return []
  const json = jsonSchemaOf(schema, 'input')
  return Object.entries(json.properties ?? {})
    .filter(([, property]) => isId(property, json.$defs ?? {}))
    .map(([name]) => ({ place, name }))
}

function isId(property: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): boolean {
  const referred = property.$ref === undefined ? property : (definitions[property.$ref.replace('#/$defs/', '')] ?? {})
  const variants = [referred['anyOf'], referred['oneOf']].flat().filter((one) => one !== undefined) as JsonSchema[]
  return referred['format'] === 'uuid' || variants.some((one) => isId(one, definitions))
}

let api: InProcess
/** Our tenant. */
let owner: Member
let admin: Member
let member: Member
let ownersFactor: string
/** Another tenant. */
let stranger: Member
let bystander: Member
/** Everything of ours that has an id, by what a field that takes such an id is named. */
let ours: Record<string, string>
/** Tokens that open nothing, with the code that says why. */
let dead: Record<string, { readonly token: string; readonly status: number; readonly error: string }>
let impersonated: Member
const swept = new Set<string>()

beforeAll(async () => {
  api = await openInProcess()
  owner = await api.signUp({ tenantName: 'Ours' })
  admin = await api.join(owner, 'admin')
  member = await api.join(owner, 'member')
  stranger = await api.signUp({ tenantName: 'Theirs' })
  bystander = await api.signUp({ tenantName: 'Bystanders' })
  ownersFactor = (await api.enrol(owner)).factorId
  await api.enrol(stranger)
  await api.open(owner, 'team_change')
  const invitation = { email: 'invited@example.com', name: 'Ina', role: 'member' }
  const invited = await api.send('POST', '/api/team/invitations', { body: invitation, token: owner.accessToken })
  await api.open(owner, 'ip_rule_change')
  const rule = await api.send('POST', '/api/security/ip-rules', {
    body: { type: 'DENY', cidr: '203.0.113.0/24' },
    token: owner.accessToken,
  })
  ours = {
    sessionId: owner.sessionId,
    userId: owner.userId,
    staffId: owner.staffId,
    tenantId: owner.tenantId,
    factorId: ownersFactor,
    id: ownersFactor,
    ruleId: rule.body.rule.id,
    invitationId: invited.body.invitation.id,
    membersSessionId: member.sessionId,
    membersUserId: member.userId,
    incidentId: String(
      (await api.rows(`select id from audit_logs where tenant_id = '${owner.tenantId}' limit 1`))[0]?.['id'],
    ),
    familyId: String(
      (await api.rows(`select id from token_families where session_id = '${owner.sessionId}'`))[0]?.['id'],
    ),
  }
  dead = await deadTokens()
  await api.open(owner, 'impersonate')
  const started = await api.send('POST', `/api/security/impersonate/${admin.staffId}`, {
    body: { reason: 'the sweep' },
    token: owner.accessToken,
  })
  impersonated = { ...admin, accessToken: started.body.accessToken, sessionId: started.body.session.id }
})
afterAll(() => api?.close())

async function deadTokens(): Promise<typeof dead> {
  const { engine } = api
  const claims = {
    userId: owner.userId as UserId,
    tenantId: owner.tenantId as TenantId,
    staffId: owner.staffId as StaffId,
    sessionId: owner.sessionId as SessionId,
    sessionVersion: 1,
    generation: 0,
    authTime: new Date(),
    amr: ['pwd'],
    acr: 'urn:sallyport:acr:1',
    sessionEndsAt: new Date(Date.now() + 3_600_000),
  }
  const { issuer, audience, accessTtlMs: ttlMs } = engine.settings
  const hourAgo = new Date(Date.now() - 3_600_000)
  const { token: expired } = await signAccessToken(engine.keys, { issuer, audience, ttlMs }, claims, hourAgo)
  const elsewhere = await signAccessToken(
    engine.keys,
    { issuer, audience: 'https://other.example.com', ttlMs },
    claims,
    new Date(),
  )

  const loggedOut = await api.login(owner.email)
  await api.send('POST', '/api/auth/logout', { body: {}, token: loggedOut.accessToken })
  const revoked = await api.login(owner.email)
  await api.open(owner, 'revoke_session', 'force_logout', 'team_change')
  await api.send('POST', `/api/security/sessions/${revoked.sessionId}/revoke`, { token: owner.accessToken })
  const forcedOut = await api.join(owner, 'member')
  await api.send('POST', `/api/security/force-logout/${forcedOut.userId}`, { token: owner.accessToken })
  const disabled = await api.join(owner, 'member')
  await api.rows(`update tenant_staff set status = 'disabled' where id = '${disabled.staffId}'`)
  const outlived = await api.login(owner.email)
  await api.rows(`update user_sessions set expires_at = created_at where id = '${outlived.sessionId}'`)
  const waiting = await api.login(owner.email)
  await api.rows(`update user_sessions set step_up_required_at = created_at where id = '${waiting.sessionId}'`)
  await api.send('POST', '/api/auth/password/reset-request', { body: { email: owner.email } })

  const [header = '', payload = '', signature = ''] = owner.accessToken.split('.')
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decoded = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const of = (token: string, error: string, status = 401) => ({ token, error, status })
  return {
    'three letters': of('abc', 'INVALID_TOKEN'),
    'three empty parts': of('a.b.c', 'INVALID_TOKEN'),
    'a token that says alg none': of(`${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.`, 'INVALID_TOKEN'),
    'a token with another signature': of(
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'INVALID_TOKEN',
    ),
    'a token changed to be the tenant’s of another': of(
      `${header}.${encoded({ ...decoded, tenant_id: stranger.tenantId })}.${signature}`,
      'INVALID_TOKEN',
    ),
    'a token for another audience': of(elsewhere.token, 'INVALID_TOKEN'),
    'a refresh token': of(owner.refreshToken, 'INVALID_TOKEN'),
    'the token of an invitation': of(api.mailed('invited@example.com', 'invitation'), 'INVALID_TOKEN'),
    'the token of a reset': of(api.mailed(owner.email, 'password_reset'), 'INVALID_TOKEN'),
    'the token of a verification': of(api.mailed(owner.email, 'email_verification'), 'INVALID_TOKEN'),
    'an expired token': of(expired, 'TOKEN_EXPIRED'),
    'the token of a session that signed out': of(loggedOut.accessToken, 'SESSION_REVOKED'),
    'the token of a revoked session': of(revoked.accessToken, 'SESSION_REVOKED'),
    'the token of one forced out': of(forcedOut.accessToken, 'SESSION_INVALIDATED'),
    'the token of a disabled member': of(disabled.accessToken, 'SESSION_INVALIDATED'),
    'the token of a session past its end': of(outlived.accessToken, 'SESSION_EXPIRED'),
    'the token of a session that waits for a step-up': of(waiting.accessToken, 'STEP_UP_REQUIRED', 428),
  }
}

/** The sample request of a route, with our ids in place of the sample's, each under its name. */
function requestOf({ route, path, sample, ids }: Swept, values: Readonly<Record<string, string>> = ours) {
  const valueOf = (name: string): string => {
    const value = values[name]
    if (value === undefined) throw new Error(`route ${route.name}: say in this test which of our ids ${name} takes`)
    return value
  }
  const sampled = new URL(sample.path, 'http://host')
  let filled = sampled.pathname
  const given = path.split('/')
  for (const { place, name } of ids) {
    if (place !== 'params') continue
    const at = given.indexOf(`:${name}`)
    filled = filled
      .split('/')
      .map((segment, index) => (index === at ? encodeURIComponent(valueOf(name)) : segment))
      .join('/')
  }
  for (const { place, name } of ids) if (place === 'query') sampled.searchParams.set(name, valueOf(name))
  const inBody = ids.filter(({ place }) => place === 'body').map(({ name }) => [name, valueOf(name)])
  return {
    path: `${filled}${sampled.search}`,
    body: sample.body === undefined ? undefined : { ...(sample.body as object), ...Object.fromEntries(inBody) },
  }
}

interface Refusal {
  readonly status: number
  readonly error: string
  /** Who is known to have asked: then the refusal of a route that is audited has its row. */
  readonly by?: Member
}

/** Sends a request that must be refused, and looks at everything that it might have done. */
async function refused(route: Swept, token: string | undefined, { status, error, by }: Refusal): Promise<Sent> {
  return tried(route, requestOf(route), token, by, (answer) => {
    expect([answer.status, answer.body?.error], `${route.name}: ${answer.text}`).toEqual([status, error])
  })
}

async function tried(
  { name, method, route }: Swept,
  request: { readonly path: string; readonly body: unknown },
  token: string | undefined,
  by: Member | undefined,
  check: (answer: Sent) => void,
): Promise<Sent> {
  swept.add(name)
  const before = await api.snapshot()
  const id = newId()
  const answer = await api.send(method, request.path, { body: request.body, token, headers: { 'x-request-id': id } })
  check(answer)
  expect(await api.snapshot(), `${name} was refused and changed something`).toEqual(before)
  const written = await api.rows(
    `select action, outcome, failure_reason as reason, user_id as "user", session_id as session, tenant_id as tenant
      from audit_logs where correlation_id = '${id}'`,
  )
  if (answer.status < 400) {
    // Looking at what is sensitive is recorded, whatever comes of it.
    const told = written.filter(
      ({ action, outcome }) => outcome === 'SUCCESS' && route.audit?.actions.includes(action as never),
    )
    expect(told.length, `${name} changed nothing and recorded something`).toBe(written.length)
  } else if (by === undefined || route.audit === undefined)
    expect(written.length).toBeLessThanOrEqual(route.audit ? 1 : 0)
  else {
    const { tenantId: tenant, userId: user, sessionId: session } = by
    const row = { action: route.audit.failure, outcome: 'FAIL', reason: answer.body.error, user, session, tenant }
    expect(written, `${name}: the FAIL row`).toEqual([row])
  }
  expect(answer.text).not.toContain('spot_')
  expect(answer.text).not.toContain('sprt_')
  return answer
}

describe('without a session', () => {
  test.each(ofSessions)('$method $path: no credentials', async (route) => {
    const answer = await refused(route, undefined, { status: 401, error: 'MISSING_TOKEN' })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  test.each(ofSessions)('$method $path: credentials that are no good', async (route) => {
    for (const [what, { token, status, error }] of Object.entries(dead)) {
      const answer = await refused(route, token, { status, error }).catch((cause: unknown) => {
        throw new Error(`with ${what}`, { cause })
      })
      const challenge = status === 428 ? 'insufficient_user_authentication' : 'invalid_token'
      expect(answer.headers.get('www-authenticate')).toContain(`Bearer error="${challenge}"`)
    }
  })

  test.each(ofSessions)('$method $path: headers that are no Bearer', async (route) => {
    const request = requestOf(route)
    const basic = `Basic ${Buffer.from(`${owner.email}:secret`).toString('base64')}`
    for (const authorization of [basic, 'Bearer', `Bearer ${owner.accessToken} x`, `Token ${owner.accessToken}`, ' ']) {
      const answer = await api.send(route.method, request.path, { body: request.body, headers: { authorization } })
      expect([answer.status, authorization]).toEqual([401, authorization])
    }
  })

  // A route that takes credentials of its own judges them in its operation: what is not optional is refused, what is ends nothing.
  test.each(ROUTES.filter(({ auth }) => typeof auth === 'object'))(
    '$method $path: none and bad ones',
    async (route) => {
      const optional = typeof route.auth === 'object' && route.auth.optional === true
      for (const token of [
        undefined,
        ...Object.values(dead).flatMap(({ token: one, status }) => (status === 401 ? [one] : [])),
      ]) {
        await tried(route, requestOf(route), token, undefined, ({ status, text }) => {
          if (optional) expect(status, text).toBeLessThan(300)
          else expect(status, text).toBe(401)
        })
      }
    },
  )

  test.each(ROUTES.filter(({ auth }) => auth === 'optional'))(
    '$method $path: a bad token is not none',
    async (route) => {
      for (const { token, status, error } of Object.values(dead)) await refused(route, token, { status, error })
    },
  )

  test.each(ROUTES.filter(({ auth }) => auth === 'none'))('$method $path: a token is not looked at', async (route) => {
    const request = requestOf(route)
    // Malformed where it may be, so that what the route does is not done.
    const body = request.body === undefined ? undefined : { ...(request.body as object), unknownField: 1 }
    swept.add(route.name)
    const answers = [await api.send(route.method, request.path, { body })]
    const before = await api.snapshot()
    for (const { token } of Object.values(dead))
      answers.push(await api.send(route.method, request.path, { body, token }))
    expect(new Set(answers.map(withoutRequestId)).size).toBe(1)
    // Without a body there is a cookie to go by, and here is none: what needs it says so.
    const bare = route.errors.includes('REFRESH_TOKEN_INVALID') ? 401 : 200
    expect(answers[0]?.status).toBe(body === undefined ? bare : 400)
    expect(await api.snapshot()).toEqual(before)
  })
})

describe('with a session that may not', () => {
  test.each(ofSessions.filter(({ permission }) => typeof permission === 'string'))(
    '$method $path: a lesser role',
    async (route) => {
      await opened(route, member)
      await refused(route, member.accessToken, { status: 403, error: 'FORBIDDEN', by: member })
    },
  )

  test.each(ofSessions.filter(({ permission }) => typeof permission === 'object'))(
    "$method $path: a lesser role, another's",
    async (route) => {
      expect(route.ids, `${route.name} is for others, and names nothing that is theirs`).not.toEqual([])
      await opened(route, member)
      await refused(route, member.accessToken, { status: 403, error: 'FORBIDDEN', by: member })
    },
  )

  test.each(ofSessions.filter(({ stepUp }) => stepUp !== undefined))('$method $path: no step-up', async (route) => {
    const fresh = await api.login(admin.email)
    // The step-up of another session of the same person opens nothing here.
    await opened(route, admin)
    const answer = await refused(route, fresh.accessToken, { status: 428, error: 'STEP_UP_REQUIRED', by: fresh })
    expect(answer.body.purpose).toBe(route.stepUp)
    expect(answer.headers.get('www-authenticate')).toContain('insufficient_user_authentication')
  })

  test.each(ofSessions.filter(({ whileImpersonating }) => whileImpersonating === 'refused'))(
    '$method $path: while impersonating',
    async (route) => {
      await opened(route, impersonated)
      const request = requestOf(route)
      await tried(route, request, impersonated.accessToken, impersonated, ({ status, body, text }) =>
        expect([status, body?.error], `${route.name}: ${text}`).toEqual([403, 'NOT_WHILE_IMPERSONATING']),
      )
    },
  )

  // What nobody else may touch, whatever they may do otherwise, is not there for them.
  test.each(ofSessions.filter(({ permission, ids }) => permission === undefined && ids.length > 0))(
    "$method $path: a colleague's",
    async (route) => {
      await opened(route, admin)
      await refused(route, admin.accessToken, { status: 404, error: 'NOT_FOUND', by: admin })
    },
  )
})

describe('from another tenant', () => {
  test.each(ofSessions.filter(({ ids }) => ids.length > 0))(
    '$method $path: our ids are as good as random ones',
    async (route) => {
      for (const field of route.ids) {
        for (const [name, id] of Object.entries(ours)) {
          await opened(route, stranger)
          const foreign = { ...theirs(), [field.name]: id }
          const [unknown, known] = [
            await strange(route, { ...foreign, [field.name]: newId() }),
            await strange(route, foreign),
          ]
          const differs = `${route.name}: ${field.name} tells our ${name} from a random id`
          expect(withoutRequestId(known).replaceAll(id, 'ID'), differs).toBe(
            withoutRequestId(unknown).replaceAll(id, 'ID'),
          )
          if (field.place === 'params') expect([known.status, known.body.error], known.text).toEqual([404, 'NOT_FOUND'])
          if (known.status < 400) expect(route.mutates, differs).toBe(false)
        }
      }
    },
  )

  test.each(ofSessions.filter(({ ids, mutates }) => ids.length === 0 && !mutates))(
    '$method $path: nothing of ours is in the answer',
    async (route) => {
      // Another one, who never named our ids: the log of a tenant keeps what its own people asked for.
      await opened(route, bystander)
      const answer = await tried(
        route,
        requestOf(route, theirs()),
        bystander.accessToken,
        bystander,
        ({ status, text }) => expect(status, text).toBeLessThan(500),
      )
      for (const id of [...Object.values(ours), owner.email, member.email]) expect(answer.text).not.toContain(id)
    },
  )

  test('our tenant, named in a sign-in of theirs, is as good as one that is not there', async () => {
    const attempt = async (tenant: string) => {
      const body = { email: stranger.email, password: 'seven purple otters juggle', tenant }
      return withoutRequestId(await api.send('POST', '/api/auth/login', { body }))
    }
    const [{ slug } = {}] = await api.rows(`select slug from tenants where id = '${owner.tenantId}'`)
    const unknown = await attempt(newId())
    expect(unknown).toContain('[401')
    expect([await attempt(owner.tenantId), await attempt(String(slug))]).toEqual([unknown, unknown])
  })

  const theirs = (): Record<string, string> => ({
    ...Object.fromEntries(Object.keys(ours).map((name) => [name, newId()])),
    userId: stranger.userId,
    sessionId: stranger.sessionId,
  })
  const strange = (route: Swept, values: Readonly<Record<string, string>>): Promise<Sent> =>
    tried(route, requestOf(route, values), stranger.accessToken, stranger, ({ status, text }) =>
      expect(status, text).toBeLessThan(500),
    )
})

const opened = (route: Swept, who: Member): Promise<void> =>
  route.stepUp === undefined ? Promise.resolve() : api.open(who, route.stepUp)

describe('what is not declared', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']
  const PATHS = [...new Set(ROUTES.map(({ path }) => path))]

  test('methods are 405 over the wire, with those that are allowed, and change nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-sweep-'))
    const service = await serve(folder)
    try {
      for (const path of PATHS) {
        const asked = path.replaceAll(/:[A-Za-z0-9]+/g, newId())
        // A path that is written out is also one of those that a parameter stands in.
        const declared = [
          ...new Set(ROUTES.filter((one) => patternOf(one.path).test(asked)).map(({ method }) => method as string)),
        ]
        if (declared.includes('GET')) declared.push('HEAD')
        for (const method of METHODS.filter((one) => !declared.includes(one))) {
          const answer = await over(service.url, method, asked)
          expect([method, path, answer.status]).toEqual([method, path, 405])
          expect(answer.allow?.split(', ').sort()).toEqual([...declared].sort())
          expect(answer.text).not.toContain('sekret')
        }
      }
    } finally {
      await service.end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('methods under other names are not the method', async () => {
    const { method, path, body } = { method: 'GET', path: '/api/auth/logout', body: {} }
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const headers = { [name]: 'POST', 'content-type': 'application/json' }
      const before = await api.snapshot()
      expect((await api.send(method, path, { headers, token: owner.accessToken })).status).toBe(405)
      expect(
        (await api.send('POST', '/api/security/mfa', { headers: { ...headers, [name]: 'GET' }, body })).status,
      ).toBe(405)
      expect(await api.snapshot()).toEqual(before)
    }
  })

  test.each([
    '/api/auth/me/',
    '/api//auth/me',
    '/API/auth/me',
    '/api/auth/../auth/me',
    '/api/auth/me%2f',
    '/api/auth/me;x',
  ])('%s is not a path, or is the one that it is written as', async (path) => {
    const { status } = await api.send('GET', path, {})
    expect([401, 404]).toContain(status)
  })
})

test('what does change something is seen to', async () => {
  const before = await api.snapshot()
  await api.login(owner.email)
  const after = await api.snapshot()
  const changed = Object.keys(after).filter((table) => after[table] !== before[table])
  expect(changed.sort()).toEqual(['refresh_tokens', 'token_families', 'user_sessions'])
})

test('every route was swept, and every route that is documented is one', async () => {
  expect(ROUTES.map(({ name }) => name).filter((name) => !swept.has(name))).toEqual([])
  const { body } = await api.send('GET', '/api/openapi.json')
  const documented = Object.values(body.paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((operations) => Object.values(operations).map(({ operationId }) => operationId))
    .filter((name) => !['getOpenApi', 'getDocumentation'].includes(name))
  expect(documented.sort()).toEqual(ROUTES.map(({ name }) => name).sort())
})

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:[A-Za-z0-9]+/g, '[^/]+')}$`)
}

async function over(url: string, method: string, path: string) {
  const sent = httpRequest(url + path, { method, headers: { authorization: 'Bearer sekret' } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, allow: response.headers.allow, text }
}
