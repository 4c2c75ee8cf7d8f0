import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { SallyportError } from '../errors.ts'
import type { SessionId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import { createHandler, type FetchHandler } from './app.ts'
import { type Route, type RouteInput, route } from './route.ts'
import { idOf, limit, name, queryInteger } from './schemas.ts'
import { type FakeEngine, fakeEngine } from './testing/fake-engine.ts'

const ID = '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'
const common = { tag: 'Things', summary: 'Does a thing' } as const

/** Routes of every kind, whose handlers tell what they were given. */
function madeUp(behaviour: { throws?: unknown } = {}) {
  const seen: RouteInput<unknown, unknown, unknown, unknown, unknown>[] = []
  const note = (input: unknown) => {
    seen.push(input as (typeof seen)[number])
    if (behaviour.throws !== undefined) throw behaviour.throws
  }
  const ok = { 200: { description: 'Done', body: z.strictObject({ ok: z.boolean() }) } } as const
  const routes: Route[] = [
    route({
      ...common,
      method: 'GET',
      path: '/api/things',
      name: 'listThings',
      auth: 'session',
      mutates: false,
      query: { limit, page: queryInteger({ min: 0, max: 1000 }).optional() },
      responses: ok,
      async handle(input) {
        note(input)
        return { status: 200, body: { ok: true } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/api/things',
      name: 'createThing',
      auth: 'none',
      mutates: true,
      permission: null,
      stepUp: null,
      audit: { action: 'AUTH_LOGIN', failure: 'AUTH_LOGIN_FAILED' },
      body: { name, deep: z.strictObject({ inner: z.int().min(0).max(9) }).optional() },
      responses: { 201: { description: 'Made', body: z.strictObject({ name: z.string() }) } },
      async handle(input) {
        note(input)
        input.addHeader('set-cookie', 'a=1')
        input.addHeader('set-cookie', 'b=2')
        return { status: 201, body: { name: input.body.name }, headers: { 'Sallyport-Refresh': 'rotated' } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/api/things/:thingId/revoke',
      name: 'revokeThing',
      auth: 'session',
      mutates: true,
      permission: 'SETTINGS_SECURITY_EDIT',
      stepUp: 'revoke_session',
      audit: { action: 'SESSION_REVOKED', resource: 'session', id: 'thingId' },
      params: { thingId: idOf<SessionId>() },
      responses: ok,
      async handle(input) {
        note(input)
        return { status: 200, body: { ok: true } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/api/things/exit/revoke',
      name: 'exitThing',
      auth: { credential: ['stepUpToken'] },
      mutates: false,
      responses: { 204: { description: 'Gone' } },
      async handle(input) {
        note(input)
        return { status: 204 }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/api/maybe',
      name: 'maybe',
      auth: 'optional',
      mutates: false,
      responses: { 200: { description: 'Text', content: 'text/plain; charset=utf-8' } },
      async handle(input) {
        note(input)
        return { status: 200, body: input.caller?.role ?? 'nobody' }
      },
    }),
  ]
  return { routes, seen }
}

interface Bench {
  readonly engine: FakeEngine
  readonly handler: FetchHandler
  readonly seen: ReturnType<typeof madeUp>['seen']
}

function bench(behaviour: { throws?: unknown; checkReplies?: boolean; basePath?: string } = {}): Bench {
  const engine = fakeEngine()
  const { routes, seen } = madeUp(behaviour)
  const { checkReplies = false, basePath = '/api' } = behaviour
  return { engine, seen, handler: createHandler({ guard: engine, routes, checkReplies, basePath }) }
}

const get = (path: string, headers: Record<string, string> = {}) => new Request(`http://host${path}`, { headers })
const post = (path: string, body?: string | Uint8Array<ArrayBuffer> | object, headers: Record<string, string> = {}) =>
  new Request(`http://host${path}`, {
    method: 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
  })
const owner = { authorization: 'Bearer owner' }
const problemOf = async (response: Response) => (await response.json()) as Record<string, unknown>

describe('serving', () => {
  test('a reply goes out as JSON, with the headers that every answer carries', async () => {
    const { handler } = bench()
    const response = await handler(get('/api/things', { ...owner, 'x-request-id': 'abc.DEF_1-2' }))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ok: true })
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'content-type': 'application/json; charset=utf-8',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'abc.DEF_1-2',
    })
  })

  test('a request id of another form is replaced, and a trace id serves where none is sent', async () => {
    const { handler } = bench()
    const idOfAnswer = async (headers: Record<string, string>) =>
      (await handler(get('/api/maybe', headers))).headers.get('x-request-id')
    expect(await idOfAnswer({ 'x-request-id': 'a b' })).toMatch(/^[0-9a-f-]{36}$/)
    expect(await idOfAnswer({ 'x-request-id': 'a'.repeat(129) })).toMatch(/^[0-9a-f-]{36}$/)
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    expect(await idOfAnswer({ traceparent: `00-${trace}-00f067aa0ba902b7-01` })).toBe(trace)
    expect(await idOfAnswer({ traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` })).toMatch(/^[0-9a-f]{8}-/)
  })

  test('a handler is given the facts of the request: address, user agent cut to 512, correlation id', async () => {
    const { handler, seen } = bench()
    const headers = { 'user-agent': 'x'.repeat(600), 'x-request-id': 'r1', 'x-forwarded-for': '203.0.113.9' }
    await handler(get('/api/maybe', headers), { remoteAddress: '::ffff:192.0.2.1' })
    expect(seen[0]?.request).toEqual({ ipAddress: '192.0.2.1', userAgent: 'x'.repeat(512), correlationId: 'r1' })
  })

  test('HEAD answers like GET without the body', async () => {
    const { handler } = bench()
    const response = await handler(new Request('http://host/api/things', { method: 'HEAD', headers: owner }))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.text()).toBe('')
  })

  test('a literal path is found before a pattern, and 204 has no content type', async () => {
    const { handler, seen } = bench()
    const response = await handler(post('/api/things/exit/revoke', undefined, { authorization: 'Bearer abc.def' }))
    expect(response.status).toBe(204)
    expect(response.headers.get('content-type')).toBeNull()
    expect(seen[0]?.credential).toEqual({ token: 'abc.def' })
  })

  test('headers of the reply and every added cookie go out', async () => {
    const { handler } = bench()
    const response = await handler(post('/api/things', { name: 'Ada' }))
    expect(response.status).toBe(201)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('sallyport-refresh')).toBe('rotated')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('the base path is a setting', async () => {
    const { handler } = bench({ basePath: '/auth/v1' })
    expect((await handler(get('/auth/v1/things', owner))).status).toBe(200)
    expect((await handler(get('/api/things', owner))).status).toBe(404)
  })

  test('an optional session is nobody without a header, and must be good with one', async () => {
    const { handler } = bench()
    expect(await (await handler(get('/api/maybe'))).text()).toBe('nobody')
    expect(await (await handler(get('/api/maybe', owner))).text()).toBe('owner')
    expect((await handler(get('/api/maybe', { authorization: 'Bearer bad' }))).status).toBe(401)
  })
})

describe('finding a route', () => {
  test('an unknown path is 404 NOT_FOUND as a problem', async () => {
    const { handler } = bench()
    const response = await handler(get('/api/nothing', { 'x-request-id': 'r2' }))
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(await problemOf(response)).toEqual({
      type: '/api/docs#NOT_FOUND',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing at this path.',
      error: 'NOT_FOUND',
      requestId: 'r2',
    })
  })

  test.each(['PUT', 'DELETE', 'OPTIONS', 'FOO'])('%s on a known path is 405 with Allow', async (method) => {
    const { handler } = bench()
    const response = await handler(new Request('http://host/api/things', { method }))
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST')
    expect((await problemOf(response))['error']).toBe('METHOD_NOT_ALLOWED')
  })

  test('TRACE is 405 too, and a name that is no method is not repeated', async () => {
    const { handler } = bench()
    // A Request cannot be made with TRACE; a server's own request object can have it.
    const traced = (method: string) =>
      new Proxy(get('/api/things'), { get: (of, key) => (key === 'method' ? method : Reflect.get(of, key, of)) })
    expect((await handler(traced('TRACE'))).status).toBe(405)
    expect((await problemOf(await handler(traced('<script>'))))['detail']).toBe(
      'This path does not answer this method.',
    )
  })

  test('headers that ask for another method are ignored', async () => {
    const { handler, seen } = bench()
    await handler(get('/api/things', { ...owner, 'x-http-method-override': 'POST', 'x-http-method': 'DELETE' }))
    expect(seen).toHaveLength(1)
    expect(seen[0]?.body).toBeUndefined()
  })

  test.each(['/api/things/', '/API/things', '/api//things', '/api/%74hings', '/'])(
    '%s is not /api/things',
    async (path) => {
      expect((await bench().handler(get(path, owner))).status).toBe(404)
    },
  )
})

describe('guards', () => {
  const revoke = `/api/things/${ID}/revoke`

  test('no token is 401 with a plain challenge, a bad one names invalid_token', async () => {
    const { handler } = bench()
    const missing = await handler(post(revoke))
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const bad = await handler(post(revoke, undefined, { authorization: 'Bearer bad' }))
    expect([bad.status, bad.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
  })

  test('one who is not authenticated learns nothing of the input', async () => {
    const { handler } = bench()
    expect((await handler(post('/api/things/nonsense/revoke?x=1', '{'))).status).toBe(401)
  })

  test('one without the permission learns nothing of the input', async () => {
    const { handler } = bench()
    const response = await handler(post('/api/things/nonsense/revoke', '{', { authorization: 'Bearer member' }))
    expect(response.status).toBe(403)
    expect((await problemOf(response))['error']).toBe('FORBIDDEN')
  })

  test('nobody is asked for a code on behalf of a malformed request', async () => {
    const { handler, engine } = bench()
    expect((await handler(post('/api/things/nonsense/revoke', undefined, owner))).status).toBe(400)
    expect(engine.asked).toEqual(['authenticate'])
  })

  test('an unmet step-up is 428 with purpose, factors and the challenge of RFC 9470', async () => {
    const { handler, seen } = bench()
    const response = await handler(post(revoke, undefined, owner))
    expect(response.status).toBe(428)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age=600',
    )
    expect(await problemOf(response)).toMatchObject({
      error: 'STEP_UP_REQUIRED',
      purpose: 'revoke_session',
      factors: ['totp'],
    })
    expect(seen).toHaveLength(0)
  })

  test('with everything in order the handler runs, once, with typed parameters', async () => {
    const { handler, engine, seen } = bench()
    engine.steppedUp.add('revoke_session')
    expect((await handler(post(revoke, {}, owner))).status).toBe(200)
    expect(seen).toHaveLength(1)
    expect(seen[0]?.params).toEqual({ thingId: ID })
    expect(engine.failures).toEqual([])
  })

  test('an impersonated caller meets the rule of the route', async () => {
    const { handler, engine, seen } = bench()
    engine.steppedUp.add('revoke_session')
    expect((await handler(post(revoke, {}, { authorization: 'Bearer impersonated' }))).status).toBe(403)
    expect(seen).toHaveLength(0)
  })

  test('a credential that is missing or malformed never reaches the handler', async () => {
    const { handler, seen } = bench()
    expect((await handler(post('/api/things/exit/revoke'))).status).toBe(401)
    expect((await handler(post('/api/things/exit/revoke', undefined, { authorization: 'Basic abc' }))).status).toBe(401)
    expect(seen).toHaveLength(0)
  })
})

describe('recording failures', () => {
  const revoke = `/api/things/${ID}/revoke`
  const codes = (engine: FakeEngine) => engine.failures.map(({ action, code }) => `${action} ${code}`)

  test('a refusal at any guard is recorded exactly once, with who and what where known', async () => {
    const { handler, engine } = bench()
    await handler(post(revoke))
    await handler(post(revoke, undefined, { authorization: 'Bearer member' }))
    await handler(post(revoke, '{', owner))
    await handler(post(revoke, {}, owner))
    await handler(post(revoke, 'x', { ...owner, 'content-type': 'text/plain' }))
    expect(codes(engine)).toEqual([
      'SESSION_REVOKED MISSING_TOKEN',
      'SESSION_REVOKED FORBIDDEN',
      'SESSION_REVOKED INVALID_REQUEST',
      'SESSION_REVOKED STEP_UP_REQUIRED',
      'SESSION_REVOKED UNSUPPORTED_MEDIA_TYPE',
    ])
    expect(engine.failures.map(({ caller }) => caller?.role)).toEqual([
      undefined,
      'member',
      'owner',
      'owner',
      undefined,
    ])
    expect(engine.failures.map(({ resource, resourceId }) => [resource, resourceId])).toEqual(
      Array(5).fill(['session', ID]),
    )
  })

  test('a resource is named only by an id that is one', async () => {
    const { handler, engine } = bench()
    await handler(post('/api/things/%3Cscript%3E/revoke', {}, owner))
    expect(engine.failures[0]?.resourceId).toBeUndefined()
  })

  test.each(['NOT_FOUND', 'CONFLICT', 'UNAVAILABLE', 'RATE_LIMITED'] as const)(
    'a handler that throws %s is recorded once',
    async (code) => {
      const { handler, engine } = bench({ throws: new SallyportError(code, 'No.') })
      engine.steppedUp.add('revoke_session')
      await handler(post(revoke, {}, owner))
      expect(codes(engine)).toEqual([`SESSION_REVOKED ${code}`])
    },
  )

  test('an operation that recorded its failure itself is not recorded again', async () => {
    const { handler, engine } = bench({ throws: failureRecorded(new SallyportError('INVALID_CREDENTIALS', 'No.')) })
    expect((await handler(post('/api/things', { name: 'Ada' }))).status).toBe(401)
    expect(engine.failures).toEqual([])
  })

  test('a failure has the action that the route names for it', async () => {
    const { handler, engine } = bench()
    await handler(post('/api/things', {}))
    expect(codes(engine)).toEqual(['AUTH_LOGIN_FAILED INVALID_REQUEST'])
  })

  test('a route without an audit action records nothing', async () => {
    const { handler, engine } = bench()
    await handler(get('/api/things'))
    expect(engine.failures).toEqual([])
  })

  test('a row that cannot be written goes to the log, and the refusal stands', async () => {
    const { handler, engine } = bench()
    engine.recordFailure = async () => {
      throw new Error('down')
    }
    expect((await handler(post(revoke))).status).toBe(401)
    expect(engine.logged).toMatchObject([{ fields: { code: 'MISSING_TOKEN', action: 'SESSION_REVOKED' } }])
  })
})

describe('faults', () => {
  test('a 500 says nothing but the request id, and the log has the cause without secrets', async () => {
    const cause = new Error('Failed query: select $1 params: ada@example.com,\nsprt_abcdefghijkl')
    const { handler, engine } = bench({ throws: new TypeError('eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', { cause }) })
    const response = await handler(get('/api/things', { ...owner, 'x-request-id': 'r3' }))
    expect(response.status).toBe(500)
    const { detail, ...rest } = await problemOf(response)
    expect(rest).toEqual({
      type: '/api/docs#INTERNAL',
      title: 'Internal error',
      status: 500,
      error: 'INTERNAL',
      requestId: 'r3',
    })
    expect(detail).not.toMatch(/query|ada|eyJ/)
    const log = JSON.stringify(engine.logged)
    expect(log).toContain('Failed query')
    expect(log).toContain('r3')
    expect(log).not.toMatch(/ada@example|sprt_abc|eyJhbG/)
  })

  test('a configuration error looks like any other fault from outside', async () => {
    const { handler } = bench({
      throws: new SallyportError('CONFIG_INVALID', 'SMTP_URL', { facts: { field: 'SMTP_URL' } }),
    })
    const body = await problemOf(await handler(get('/api/things', owner)))
    expect(body['error']).toBe('INTERNAL')
    expect(JSON.stringify(body)).not.toContain('SMTP')
  })

  test.each([
    ['RATE_LIMITED', 429, { retryAfter: 12.2 }, '13'],
    ['UNAVAILABLE', 503, {}, '1'],
  ] as const)('%s carries Retry-After', async (code, status, facts, expected) => {
    const { handler } = bench({ throws: new SallyportError(code, 'Later.', { facts }) })
    const response = await handler(get('/api/things', owner))
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, expected])
    expect((await problemOf(response))['retryAfter']).toBe(Number(expected))
  })

  test('facts that are not listed for a code stay on the server', async () => {
    const facts = { field: 'name', secret: 'x', tenants: [] }
    const { handler } = bench({ throws: new SallyportError('INVALID_REQUEST', 'name: no', { facts }) })
    const body = await problemOf(await handler(get('/api/things', owner)))
    expect(Object.keys(body).sort()).toEqual(['detail', 'error', 'field', 'requestId', 'status', 'title', 'type'])
  })

  test('added headers go out with a refusal too', async () => {
    const engine = fakeEngine()
    const refusing = route({
      ...common,
      method: 'GET',
      path: '/api/ended',
      name: 'ended',
      auth: 'none',
      mutates: false,
      responses: { 204: { description: 'Never' } },
      async handle({ addHeader }) {
        addHeader('set-cookie', 'gone=; Max-Age=0')
        throw new SallyportError('SESSION_REVOKED', 'Ended.')
      },
    })
    const response = await createHandler({ guard: engine, routes: [refusing] })(get('/api/ended'))
    expect([response.status, response.headers.getSetCookie()]).toEqual([401, ['gone=; Max-Age=0']])
  })

  test.each([
    ['a header that no server could send', { 'x-bad': 'a\r\nb' }, undefined],
    ['a fact that is not JSON', {}, { field: 1n }],
  ])('%s becomes a 500, and the handler never rejects', async (_, headers, facts) => {
    const engine = fakeEngine()
    const broken = route({
      ...common,
      method: 'GET',
      path: '/api/broken',
      name: 'broken',
      auth: 'none',
      mutates: false,
      responses: { 204: { description: 'Never' } },
      async handle({ addHeader }) {
        for (const [name, value] of Object.entries(headers)) addHeader(name, value)
        throw new SallyportError('INVALID_REQUEST', 'No.', { facts: facts ?? {} })
      },
    })
    expect((await createHandler({ guard: engine, routes: [broken] })(get('/api/broken'))).status).toBe(500)
    expect(engine.logged).toHaveLength(1)
  })
})

describe('checked replies', () => {
  const lying = (reply: unknown) =>
    route({
      ...common,
      method: 'GET',
      path: '/api/lying',
      name: 'lying',
      auth: 'none',
      mutates: false,
      responses: { 200: { description: 'Done', body: z.strictObject({ ok: z.boolean() }) } },
      async handle() {
        return reply as never
      },
    })
  const answerOf = async (reply: unknown, checkReplies: boolean) =>
    (await createHandler({ guard: fakeEngine(), routes: [lying(reply)], checkReplies })(get('/api/lying'))).status

  test('a reply against its schema or of an undeclared status is a 500', async () => {
    expect(await answerOf({ status: 200, body: { ok: true } }, true)).toBe(200)
    expect(await answerOf({ status: 200, body: { ok: 'yes' } }, true)).toBe(500)
    expect(await answerOf({ status: 200, body: { ok: true, passwordHash: 'x' } }, true)).toBe(500)
    expect(await answerOf({ status: 201, body: { ok: true } }, true)).toBe(500)
  })

  test('unless that is asked for, no reply is parsed', async () => {
    expect(await answerOf({ status: 200, body: { ok: 'yes' } }, false)).toBe(200)
  })

  test('a code that the route does not declare is a 500', async () => {
    const throws = new SallyportError('LAST_OWNER', 'No.')
    expect((await bench({ throws, checkReplies: true }).handler(get('/api/things', owner))).status).toBe(500)
    expect((await bench({ throws }).handler(get('/api/things', owner))).status).toBe(409)
  })
})

describe('input', () => {
  const refused = async (body: string | Uint8Array<ArrayBuffer> | object, headers: Record<string, string> = {}) => {
    const { handler, seen } = bench()
    const response = await handler(post('/api/things', body, headers))
    expect(seen).toHaveLength(0)
    const { error, field } = await problemOf(response)
    return [response.status, error, field]
  }

  test.each([
    ['an unknown field', { name: 'Ada', more: 1 }, 'more'],
    ['an unknown inner field', { name: 'Ada', deep: { inner: 1, more: 1 } }, 'deep.more'],
    ['a wrong type', { name: 1 }, 'name'],
    ['a missing field', {}, 'name'],
    ['a number out of range', '{"name":"Ada","deep":{"inner":1e309}}', 'deep.inner'],
    ['an over-long string', { name: 'a'.repeat(201) }, 'name'],
    ['an array for an object', [], 'body'],
    ['null', 'null', 'body'],
    ['NUL', { name: 'a\u0000b' }, 'name'],
    ['a C1 control character', { name: 'a\u0085b' }, 'name'],
    ['a lone surrogate', '{"name":"\\ud800"}', 'name'],
    ['invalid JSON', '{"name":', 'body'],
    ['a byte order mark', new TextEncoder().encode('\ufeff{"name":"Ada"}'), 'body'],
    ['UTF-16', new Uint8Array(Buffer.from('{"name":"Ada"}', 'utf16le')), 'body'],
    ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'body'],
    ['a key given twice', '{"name":"Ada","name":"Eve"}', 'name'],
    ['a key given twice, once escaped', '{"name":"Ada","\\u006eame":"Eve"}', 'name'],
    ['__proto__', '{"name":"Ada","__proto__":{}}', '__proto__'],
    ['deep nesting', `{"name":${'['.repeat(33)}${']'.repeat(33)}}`, 'body'],
    ['nesting as deep as the body is long', '['.repeat(32_000) + ']'.repeat(32_000), 'body'],
  ])('%s is 400 naming the field', async (_, body, field) => {
    expect(await refused(body)).toEqual([400, 'INVALID_REQUEST', field])
  })

  test('the value is never repeated', async () => {
    const { handler } = bench()
    const response = await handler(post('/api/things', { name: ['hunter2'], deep: 'hunter2' }))
    expect(await response.text()).not.toContain('hunter2')
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/jsonx',
    'application/merge-patch+json',
  ])('a body of type %s is 415', async (type) => {
    expect(await refused('{"name":"Ada"}', { 'content-type': type })).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      undefined,
    ])
  })

  test('a body without a type is 415, and no body needs none', async () => {
    const { handler } = bench()
    const bytes = new TextEncoder().encode('{"name":"Ada"}')
    const untyped = new Request('http://host/api/things', { method: 'POST', body: bytes })
    expect((await handler(untyped)).status).toBe(415)
    expect(await problemOf(await handler(post('/api/things')))).toMatchObject({ status: 400, field: 'name' })
  })

  test('an empty stream is no body and needs no type, as servers hand it over for a DELETE; one with something in it does', async () => {
    const { handler } = bench()
    const untyped = (text: string) => {
      const body = new Blob([text]).stream()
      return new Request('http://host/api/things', { method: 'POST', body, duplex: 'half' } as RequestInit)
    }
    expect(await problemOf(await handler(untyped('')))).toMatchObject({ status: 400, field: 'name' })
    expect((await handler(untyped('{"name":"Ada"}'))).status).toBe(415)
  })

  test.each(['application/json;charset=UTF-8', 'Application/JSON; charset="utf-8"'])('%s is JSON', async (type) => {
    const { handler } = bench()
    expect((await handler(post('/api/things', { name: 'Ada' }, { 'content-type': type }))).status).toBe(201)
  })

  const sized = (size: number) => `{"name":"Ada"${' '.repeat(size - 14)}}`
  const streamed = (text: string) =>
    new Request('http://host/api/things', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([text]).stream(),
      duplex: 'half',
    } as RequestInit)

  test('64 KiB pass and a byte more is 413: by declared length, by true length, and streamed', async () => {
    const { handler } = bench()
    const limitBytes = 64 * 1024
    const status = async (request: Request) => (await handler(request)).status
    expect(await status(streamed(sized(limitBytes)))).toBe(201)
    expect(await status(streamed(sized(limitBytes + 1)))).toBe(413)
    expect(await status(post('/api/things', sized(limitBytes), { 'content-length': String(limitBytes) }))).toBe(201)
    expect(await status(post('/api/things', '{}', { 'content-length': String(limitBytes + 1) }))).toBe(413)
    expect(await status(post('/api/things', sized(limitBytes + 1), { 'content-length': '5' }))).toBe(413)
  })

  test('a body that is too large is not read to its end', async () => {
    let pulled = 0
    const long = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(16 * 1024))
        if (++pulled === 64) controller.close()
      },
    })
    const { handler } = bench()
    const request = new Request('http://host/api/things', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: long,
      duplex: 'half',
    } as RequestInit)
    expect((await handler(request)).status).toBe(413)
    expect(pulled).toBeLessThan(10)
  })

  test.each([
    ['more=1', 'more'],
    ['limit=1&limit=2', 'limit'],
    ['limit=1e309', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=', 'limit'],
    ['limit=01', 'limit'],
    ['limit=%2B1', 'limit'],
    ['limit=101', 'limit'],
    ['limit=0', 'limit'],
    ['page=9007199254740993', 'page'],
    ['limit=%zz', 'limit'],
    ['page=%00', 'page'],
    ['%ff=1', 'query'],
    [`page=${'1'.repeat(9000)}`, 'query'],
  ])('the query %s is 400 naming the parameter', async (query, field) => {
    const { handler, seen } = bench()
    const response = await handler(get(`/api/things?${query}`, owner))
    expect(await problemOf(response)).toMatchObject({ status: 400, error: 'INVALID_REQUEST', field })
    expect(seen).toHaveLength(0)
  })

  test('numbers of a query arrive as numbers, with their defaults', async () => {
    const { handler, seen } = bench()
    await handler(get('/api/things?page=0', owner))
    await handler(get('/api/things?limit=100', owner))
    expect(seen.map(({ query }) => query)).toEqual([{ limit: 50, page: 0 }, { limit: 100 }])
  })

  test('a route without a query or a body takes none', async () => {
    const { handler, engine } = bench()
    engine.steppedUp.add('revoke_session')
    const path = `/api/things/${ID}/revoke`
    expect((await handler(post(`${path}?x=1`, {}, owner))).status).toBe(400)
    expect((await handler(post(path, { x: 1 }, owner))).status).toBe(400)
    expect((await handler(post(path, '[]', owner))).status).toBe(400)
  })

  test.each(['x', ID.toUpperCase(), `${ID}%00`, ID.replace('0', '%2530'), '%', '%252e%252e'])(
    '%s is no id',
    async (id) => {
      const { handler, engine } = bench()
      engine.steppedUp.add('revoke_session')
      const response = await handler(post(`/api/things/${id}/revoke`, {}, owner))
      expect(await problemOf(response)).toMatchObject({ status: 400, field: 'thingId' })
    },
  )

  test('an id may be escaped once', async () => {
    const { handler, engine } = bench()
    engine.steppedUp.add('revoke_session')
    expect((await handler(post(`/api/things/${ID.replace('0', '%30')}/revoke`, {}, owner))).status).toBe(200)
  })
})
