import { pino } from 'pino'
import { Outbox, type Sallyport } from 'sallyport'
import { expect, test } from 'vitest'
import { createMetrics } from '../metrics.ts'
import { type FakeGuard, fakeGuard } from '../testing/fake-guard.ts'
import { createHandler, type Handler, type HandlerOptions } from './handler.ts'

const TOKEN = 'a-metrics-token-of-tests'

function serviceOf(
  changes: Partial<HandlerOptions> = {},
  answer: Sallyport['handler'] = async () => Response.json({ engine: true }),
): {
  get: (path: string, init?: RequestInit, from?: string) => ReturnType<Handler>
  fake: FakeGuard
  records: () => string
} {
  const fake = fakeGuard(answer)
  let records = ''
  const log = pino({ level: 'info' }, { write: (line) => void (records += line) })
  const handle = createHandler({
    guard: fake.guard,
    basePath: '/api',
    secure: false,
    log,
    metrics: createMetrics(fake.guard),
    metricsToken: TOKEN,
    outbox: new Outbox(),
    console: 'not-built',
    stopping: () => false,
    ...changes,
  })
  const get = (path: string, init?: RequestInit, from = '127.0.0.1'): ReturnType<Handler> =>
    handle(new Request(`http://localhost${path}`, init), from)
  return { get, fake, records: () => records }
}

test('everything that is no page of the service is the engine’s, with the address of the peer', async () => {
  let seen: string | undefined
  const { get } = serviceOf({}, async (_, connection) => {
    seen = connection?.remoteAddress
    return Response.json({ engine: true })
  })
  expect(await (await get('/api/auth/me', {}, '192.0.2.1')).json()).toEqual({ engine: true })
  expect(seen).toBe('192.0.2.1')
})

test('health: 200 while well, 503 while the service stops', async () => {
  expect((await serviceOf().get('/healthz')).status).toBe(200)
  expect((await serviceOf().get('/readyz')).status).toBe(200)
  const stopping = await serviceOf({ stopping: () => true }).get('/readyz')
  expect(stopping.status).toBe(503)
  expect(await stopping.json()).toMatchObject({ ok: false, checks: { database: 'up' } })
})

test('an engine that throws is answered with 500, and the client learns no more than the request id', async () => {
  const { get, records } = serviceOf({}, async () => {
    throw new Error('canary')
  })
  const response = await get('/api/x')
  expect(response.status).toBe(500)
  const body = await response.text()
  expect(body).not.toContain('canary')
  const { requestId } = JSON.parse(body) as { requestId: string }
  expect(records()).toContain(requestId)
  expect(records()).toContain('canary')
})

test('the outbox shows mails to this machine alone', async () => {
  const outbox = new Outbox()
  await outbox.send({ to: 'Ana@example.com', subject: 's', text: 't', html: 'h', kind: 'invitation', token: 'tok' })
  await outbox.send({ to: 'bo@example.com', subject: 's', text: 't', html: 'h', kind: 'invitation' })
  const { get } = serviceOf({ outbox })
  const mails = async (path: string): Promise<unknown[]> =>
    ((await (await get(path)).json()) as { messages: unknown[] }).messages
  expect(await mails('/api/dev/outbox')).toHaveLength(2)
  expect(await mails('/api/dev/outbox?to=ana@example.com')).toEqual([
    expect.objectContaining({ kind: 'invitation', token: 'tok', sentAt: expect.any(String) as string }),
  ])
  for (const from of ['::1', '::ffff:127.0.0.1', '127.9.9.9']) {
    expect((await get('/api/dev/outbox', {}, from)).status).toBe(200)
  }
  for (const from of ['192.0.2.1', '::ffff:192.0.2.1', '127.0.0.1.evil', undefined]) {
    expect((await serviceOf({ outbox }).get('/api/dev/outbox', {}, from ?? '')).status).toBe(404)
  }
  const forwarded = await get('/api/dev/outbox', { headers: { 'x-forwarded-for': '192.0.2.1' } })
  expect(forwarded.status).toBe(404)
})

test('without an outbox its path is the engine’s, which knows none', async () => {
  const { get } = serviceOf({ outbox: undefined }, async () => new Response(null, { status: 404 }))
  expect((await get('/api/dev/outbox')).status).toBe(404)
})

test('the outbox does not answer a page of another site that found its way here by name', async () => {
  const { get } = serviceOf()
  expect((await get('/api/dev/outbox', { headers: { host: 'evil.example' } })).status).toBe(404)
  expect((await get('/api/dev/outbox', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(404)
})

test('where the issuer is https every answer of its own says so, refusals and faults too; elsewhere none does', async () => {
  const answers = async (secure: boolean) => {
    const { get } = serviceOf({ secure, stopping: () => true }, async (request) => {
      if (request.url.endsWith('/broken')) throw new Error('broken')
      return new Response(null, { status: 404 })
    })
    return Promise.all([
      get('/'),
      get('/healthz'),
      get('/readyz'),
      get('/metrics'),
      get('/api/dev/outbox'),
      get('/api/dev/outbox', {}, '192.0.2.1'),
      get('/healthz', { method: 'POST' }),
      get('/healthz', { method: 'HEAD' }),
      get('/api/broken'),
    ])
  }
  const told = await answers(true)
  expect(told.map(({ status }) => status)).toEqual([200, 200, 503, 401, 200, 404, 405, 200, 500])
  for (const { headers } of told) {
    expect(headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains')
  }
  for (const { headers } of await answers(false)) expect(headers.has('strict-transport-security')).toBe(false)
})

test('metrics are for whoever has the token', async () => {
  const { get } = serviceOf()
  expect((await get('/metrics')).status).toBe(401)
  expect((await get('/metrics', { headers: { authorization: 'Bearer another-metrics-token' } })).status).toBe(401)
  const page = await get('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toContain('text/plain')
  expect(await page.text()).toContain('sallyport_ready{check="database"} 1')
})

test('events and requests are counted; ids in paths and unknown paths make no series of their own', async () => {
  const { get, fake } = serviceOf({}, async (request) =>
    request.url.endsWith('/nothing') ? new Response(null, { status: 404 }) : Response.json({}),
  )
  fake.emit('session.created', {} as never)
  fake.emit('session.revoked', { reason: 'logout' } as never)
  fake.emit('token.refreshed', { outcome: 'rotated' } as never)
  fake.emit('token.refreshed', { outcome: 'replayed', cause: 'concurrent' } as never)
  fake.emit('token.reused', {} as never)
  fake.emit('token.refused', { code: 'REFRESH_TOKEN_EXPIRED' } as never)
  for (const id of ['0190f5fe-7c00-7a00-8000-000000000001', '0190f5fe-7c00-7a00-8000-000000000002']) {
    await get(`/api/security/sessions/${id}/revoke`, { method: 'POST' })
  }
  await get('/a/nothing')
  await get('/b/nothing')
  const page = await (await get('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })).text()
  for (const line of [
    'sallyport_sessions_created_total 1',
    'sallyport_sessions_revoked_total{reason="logout"} 1',
    'sallyport_refreshes_total{outcome="rotated",cause=""} 1',
    'sallyport_refreshes_total{outcome="replayed",cause="concurrent"} 1',
    'sallyport_refreshes_total{outcome="reused",cause=""} 1',
    'sallyport_refreshes_total{outcome="refused",cause="REFRESH_TOKEN_EXPIRED"} 1',
    'sallyport_http_request_duration_seconds_count{method="POST",route="/api/security/sessions/:id/revoke",status="200"} 2',
    'sallyport_http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 2',
  ]) {
    expect(page).toContain(line)
  }
})

test('the root page loads nothing from anywhere and runs no script', async () => {
  const response = await serviceOf().get('/')
  const page = await response.text()
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
  expect(page).not.toMatch(/<script|https?:\/\/|style="|src=/)
  expect(page).toContain('href="/api/docs"')
})

test('pages of the service answer GET and HEAD alone', async () => {
  const { get } = serviceOf()
  expect((await get('/healthz', { method: 'POST' })).status).toBe(405)
  const head = await get('/healthz', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('at info a request that went well is not logged, and a failed one without its query', async () => {
  const { get, records } = serviceOf(
    {},
    async (request) => new Response(null, { status: request.url.includes('bad') ? 503 : 200 }),
  )
  await get('/api/good')
  expect(records()).toBe('')
  await get('/api/bad?token=canary')
  expect(JSON.parse(records())).toMatchObject({ method: 'GET', path: '/api/bad', status: 503, msg: 'request' })
})
