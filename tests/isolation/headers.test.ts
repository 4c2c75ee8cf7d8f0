/**
 * What every answer of the service says to a browser, whatever was asked: the pages, the API, refusals, faults.
 *
 * @module
 */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { API_ROUTES } from '../../packages/sallyport/src/http/api.ts'
import { routeTable } from '../../packages/sallyport/src/http/route-table.ts'
import type { Running } from '../processes/support.ts'
import { serve } from '../processes/support.ts'

const ISSUER = 'https://id.example.com'
const APP = 'https://app.example.com'
const EVERYWHERE = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

let folder: string
let service: Running
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-headers-'))
  service = await serve(folder, {
    SALLYPORT_ISSUER: ISSUER,
    SALLYPORT_ALLOWED_ORIGINS: APP,
    SALLYPORT_METRICS_TOKEN: 'a-metrics-token-of-tests',
  })
})
afterAll(async () => {
  await service?.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask({ method = 'GET', path, headers = {}, body }: Asked) {
  // Node would send the body of a DELETE without saying that there is one.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const sent = httpRequest(service.url + path, { method, headers: { ...headers, ...length } })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, text }
}

/** The keys are for everybody to keep for a while, the console's page to keep and ask about; nothing else is for anybody to keep. */
function held(headers: IncomingHttpHeaders, what: string): void {
  const caching = what.includes('jwks') ? 'public, max-age=300' : what.includes('console') ? 'no-cache' : 'no-store'
  expect(headers, what).toMatchObject({ ...EVERYWHERE, 'cache-control': caching })
  const policy = String(headers['content-security-policy'])
  expect(policy, what).toContain("default-src 'none'")
  expect(policy, what).toContain("frame-ancestors 'none'")
  expect(policy, what).not.toContain('unsafe')
  expect(headers['access-control-allow-origin'], what).not.toBe('*')
  // Nobody is led from http to https, or anywhere else: what came in the clear has been read already.
  expect(headers['location'], what).toBeUndefined()
}

const JSON_TYPE = { 'content-type': 'application/json' }

test.each<[string, Asked, number]>([
  ['the root page (console)', { path: '/' }, 200],
  ['a page of the console', { path: '/sessions' }, 200],
  ['a file of its that is not there', { path: '/assets/nothing.js' }, 404],
  ['the documentation', { path: '/api/docs' }, 200],
  ['the OpenAPI document', { path: '/api/openapi.json' }, 200],
  ['the keys (jwks)', { path: '/.well-known/jwks.json' }, 200],
  ['health', { path: '/healthz' }, 200],
  ['readiness', { path: '/readyz' }, 200],
  ['metrics without the token', { path: '/metrics' }, 401],
  ['metrics', { path: '/metrics', headers: { authorization: 'Bearer a-metrics-token-of-tests' } }, 200],
  ['the outbox', { path: '/api/dev/outbox' }, 200],
  ['a file that is not there', { path: '/nothing.txt' }, 404],
  ['a path of the API that is not there', { path: '/api/nothing' }, 404],
  ['another method', { method: 'POST', path: '/healthz' }, 405],
  ['another method of the API', { method: 'PUT', path: '/api/auth/login' }, 405],
  ['HEAD', { method: 'HEAD', path: '/api/docs' }, 200],
  ['OPTIONS', { method: 'OPTIONS', path: '/api/auth/me' }, 405],
  ['a preflight of a listed origin', preflight(APP), 204],
  ['a preflight of another', preflight('https://evil.example'), 405],
  [
    'another type',
    { method: 'POST', path: '/api/auth/login', headers: { 'content-type': 'text/plain' }, body: '{}' },
    415,
  ],
  ['a DELETE that brings nothing, not even a length', { method: 'DELETE', path: '/api/security/mfa/factors/x' }, 401],
  ['no JSON', { method: 'POST', path: '/api/auth/login', headers: JSON_TYPE, body: '{' }, 400],
  ['too much', { method: 'POST', path: '/api/auth/login', headers: JSON_TYPE, body: ' '.repeat(70_000) }, 413],
  ['a path that is too long', { path: `/api/${'x'.repeat(8000)}` }, 404],
])('%s', async (what, asked, status) => {
  const answer = await ask(asked)
  expect([answer.status, what]).toEqual([status, what])
  held(answer.headers, what)
  if (answer.headers['content-type']?.startsWith('text/html')) {
    expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin')
    expect(answer.headers['content-security-policy']).toContain("base-uri 'none'")
  }
})

function preflight(origin: string): Asked {
  return {
    method: 'OPTIONS',
    path: '/api/auth/refresh',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  }
}

test('every route, without credentials: whatever it answers', async () => {
  for (const { method, sample } of routeTable(API_ROUTES)) {
    const body = sample.body === undefined ? undefined : JSON.stringify(sample.body)
    const asked = { method, path: sample.path, ...(body !== undefined && { body, headers: JSON_TYPE }) }
    const { headers } = await ask(asked)
    held(headers, `${method} ${sample.path}`)
    // No cache may give one origin what was meant for another.
    expect(headers.vary, sample.path).toBe('Origin')
  }
})

test('what is no HTTP at all', async () => {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write('nonsense\r\n\r\n')
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  for (const [name, value] of Object.entries({ ...EVERYWHERE, 'cache-control': 'no-store' }))
    expect(answer.toLowerCase()).toContain(`${name}: ${value.toLowerCase()}`)
})

describe('who may read', () => {
  test.each([
    ['null'],
    [`${APP}.evil.example`],
    ['https://evilapp.example.com'],
    ['https://app.example.com:8443'],
    ['http://app.example.com'],
    ['https://APP.example.com'],
    ['https://app.example.com/'],
    ['https://user@app.example.com'],
    ['https://app.example.com, https://evil.example'],
    ['https://sub.app.example.com'],
    ['*'],
  ])('an Origin of %s is none of the list', async (origin) => {
    for (const asked of [{ path: '/.well-known/jwks.json' }, { path: '/api/auth/me' }, { path: '/api/nothing' }]) {
      const { headers } = await ask({ ...asked, headers: { origin } })
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['access-control-allow-credentials']).toBeUndefined()
      expect(headers.vary).toContain('Origin')
    }
    // A page of the console is the same for everybody, and for no other origin to read.
    expect((await ask({ path: '/', headers: { origin } })).headers['access-control-allow-origin']).toBeUndefined()
  })

  test('the listed one and the issuer’s own are answered by name', async () => {
    for (const origin of [APP, ISSUER]) {
      for (const path of ['/.well-known/jwks.json', '/api/auth/me', '/api/nothing']) {
        const { headers } = await ask({ path, headers: { origin } })
        expect(headers['access-control-allow-origin']).toBe(origin)
        expect(headers['access-control-allow-credentials']).toBe('true')
        expect(headers.vary).toContain('Origin')
      }
    }
  })
})
