import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createHandler } from './app.ts'
import { documentationPage } from './documentation-page.ts'
import { openApiDocument } from './openapi.ts'
import { type Route, route } from './route.ts'
import { routeTable } from './route-table.ts'
import { documentationRoutes } from './routes/openapi.ts'
import * as schemas from './schemas.ts'
import { fakeEngine } from './testing/fake-engine.ts'

const revoke = route({
  method: 'POST',
  path: '/api/security/sessions/:sessionId/revoke',
  name: 'revokeSession',
  tag: 'Sessions',
  summary: 'Ends a <session> & its family.',
  auth: 'session',
  mutates: true,
  permission: { forOthers: 'SETTINGS_SECURITY_EDIT' },
  stepUp: 'revoke_session',
  audit: { action: 'SESSION_REVOKED', resource: 'session', id: 'sessionId' },
  params: { sessionId: schemas.idOf() },
  body: { email: schemas.email, reason: schemas.reason.optional() },
  responses: { 200: { description: 'Ended.', body: z.strictObject({ session: schemas.session }) } },
  errors: ['NOT_FOUND', 'RATE_LIMITED'],
  async handle() {
    throw new Error('never called')
  },
})
const list = route({
  method: 'GET',
  path: '/api/security/sessions',
  name: 'listSessions',
  tag: 'Sessions',
  summary: 'Lists.',
  auth: 'optional',
  mutates: false,
  query: { limit: schemas.limit, state: z.enum(['active', 'ended']).default('active'), from: schemas.instant },
  responses: { 200: { description: 'A page.', body: z.strictObject({ sessions: z.array(schemas.session) }) } },
  async handle() {
    return { status: 200, body: { sessions: [] } }
  },
})
const introspect = route({
  method: 'POST',
  path: '/api/introspect',
  name: 'introspect',
  tag: 'Services',
  summary: 'Introspects.',
  auth: { credential: ['serviceKey'] },
  mutates: false,
  bodyType: 'form',
  body: { token: schemas.token },
  responses: {
    200: { description: 'Whether it is live.', body: z.strictObject({ active: z.boolean(), token: z.string() }) },
  },
  async handle({ body }) {
    return { status: 200, body: { active: false, token: body.token } }
  },
})
const routes: readonly Route[] = [revoke, list, introspect]
const all = [...routes, ...documentationRoutes(routes)]
const handler = createHandler({ guard: fakeEngine(), routes: all, checkReplies: true })

describe('the document', () => {
  test('says who may call, what it takes and what is recorded', () => {
    const operation = openApiDocument(routes).paths['/api/security/sessions/{sessionId}/revoke']?.['post']
    expect(operation).toMatchObject({
      operationId: 'revokeSession',
      security: [{ accessToken: [] }],
      'x-permission': 'SETTINGS_SECURITY_EDIT',
      'x-permission-scope': 'others',
      'x-step-up': 'revoke_session',
      'x-audit': ['SESSION_REVOKED'],
    })
    expect(Object.keys(operation?.responses ?? {})).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '413',
      '415',
      '428',
      '429',
      '500',
      '503',
    ])
  })

  test('bounds every field of a request', () => {
    const { paths } = openApiDocument(routes)
    const operation = paths['/api/security/sessions/{sessionId}/revoke']?.['post']
    expect(operation?.requestBody?.content['application/json']?.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['email'],
      properties: {
        email: { type: 'string', format: 'email', maxLength: 254 },
        reason: { minLength: 1, maxLength: 500 },
      },
    })
    expect(paths['/api/security/sessions']?.['get']?.parameters).toMatchObject([
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
      },
      { name: 'state', required: false, schema: { enum: ['active', 'ended'], default: 'active' } },
      { name: 'from', required: true, schema: { type: 'string', format: 'date-time' } },
    ])
  })

  test('describes a shared object once, and every reference leads to it', () => {
    const document = openApiDocument(routes)
    expect(document.components.schemas['Session']).toMatchObject({ type: 'object', additionalProperties: false })
    const text = JSON.stringify(document)
    const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g)]
    expect(references.length).toBe(text.split('"$ref"').length - 1)
    for (const [, kind, name] of references) {
      expect(Object.keys(Reflect.get(document.components, kind as string))).toContain(name)
    }
  })

  test('lists the codes of each status, with the facts that go with them', () => {
    const operation = openApiDocument(routes).paths['/api/security/sessions/{sessionId}/revoke']?.['post']
    const schema = operation?.responses['428']?.content?.['application/problem+json']?.schema
    expect(schema?.properties).toMatchObject({
      error: { enum: ['STEP_UP_REQUIRED'] },
      purpose: {},
      factors: { type: 'array' },
    })
    expect(operation?.responses['429']?.headers).toHaveProperty('Retry-After')
  })

  test('is served where the routes say, and describes itself', async () => {
    const response = await handler(new Request('http://host/api/openapi.json'))
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const document = (await response.json()) as { openapi: string; paths: object }
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toContain('/api/openapi.json')
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument(all))))
  })
})

describe('the page', () => {
  test('runs its own style and script and nothing else', async () => {
    const response = await handler(new Request('http://host/api/docs'))
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = response.headers.get('content-security-policy') ?? ''
    const html = await response.text()
    for (const [tag, directive] of [
      ['style', 'style-src'],
      ['script', 'script-src'],
    ] as const) {
      const inline = [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map((match) => match[1] ?? '')
      expect(inline).toHaveLength(1)
      const hash = createHash('sha256')
        .update(inline[0] ?? '')
        .digest('base64')
      expect(policy).toContain(`${directive} 'sha256-${hash}'`)
    }
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toContain('unsafe')
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|@import|url\(|style="|\son\w+="/)
  })

  test('escapes whatever a declaration says', () => {
    const { html } = documentationPage(openApiDocument(routes), '/api/openapi.json')
    expect(html).toContain('Ends a &#60;session&#62; &#38; its family.')
    expect(html).not.toContain('<session>')
  })

  test('has a place for every endpoint and every code that a problem can point to', () => {
    const { html } = documentationPage(openApiDocument(routes), '/api/openapi.json')
    for (const id of ['revokeSession', 'listSessions', 'introspect', 'NOT_FOUND', 'INTERNAL'])
      expect(html).toContain(`id="${id}"`)
  })
})

describe('the route table', () => {
  test('gives every route a sample that passes validation', async () => {
    for (const { method, sample, name } of routeTable(all)) {
      const form = name === 'introspect'
      const body = form ? new URLSearchParams(sample.body as Record<string, string>) : JSON.stringify(sample.body)
      const response = await handler(
        new Request(`http://host${sample.path}`, {
          method,
          headers: {
            authorization: 'Bearer owner',
            ...(method === 'GET'
              ? {}
              : { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json' }),
          },
          ...(method === 'GET' || sample.body === undefined ? {} : { body }),
        }),
      )
      expect([200, 428], name).toContain(response.status)
    }
  })

  test('shows what guards each', () => {
    expect(routeTable(routes)[0]).toMatchObject({
      path: '/api/security/sessions/:sessionId/revoke',
      auth: 'session',
      stepUp: 'revoke_session',
      audit: ['SESSION_REVOKED'],
      mutates: true,
    })
  })
})

describe('a form', () => {
  const send = (body: string, type = 'application/x-www-form-urlencoded') =>
    handler(
      new Request('http://host/api/introspect', {
        method: 'POST',
        headers: { 'content-type': type, authorization: 'Bearer k' },
        body,
      }),
    )

  test('is read where it is declared, and JSON is not', async () => {
    expect(await (await send('token=a%2Bb+c')).json()).toEqual({ active: false, token: 'a+b c' })
    expect((await send('{"token":"x"}', 'application/json')).status).toBe(415)
  })

  test.each(['token=a&token=b', 'token=%00', 'token=a&more=1', 'token=%ff', ''])('%j is 400', async (body) => {
    expect((await send(body)).status).toBe(400)
  })
})
