import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pino } from 'pino'
import { Outbox } from 'sallyport'
import { createMetrics } from '../../metrics.ts'
import { fakeGuard } from '../../testing/fake-guard.ts'
import { createHandler, type Handler } from '../handler.ts'
import { loadConsole } from './load-console.ts'
import { serveConsole } from './serve-console.ts'

const PAGE =
  '<!doctype html><html lang="en"><head><meta name="sallyport" content="{}" /><title>Console</title></head></html>'
const SCRIPT = `export const a = ${JSON.stringify('x'.repeat(5_000))}`

let folder: string
let get: (path: string, init?: RequestInit, from?: string) => ReturnType<Handler>
let reached: string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-console-'))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), PAGE)
  writeFileSync(join(folder, 'assets', 'index-abc123.js'), SCRIPT)
  writeFileSync(join(folder, 'assets', 'index-abc123.js.gz'), gzipSync(SCRIPT, { level: 9 }))
  writeFileSync(join(folder, 'assets', 'font-abc123.woff2'), Buffer.alloc(2_000))
  writeFileSync(join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  get = await consoleAt('https')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function consoleAt(scheme: 'http' | 'https'): Promise<typeof get> {
  const built = await loadConsole([join(folder, 'nowhere'), folder])
  if (built === undefined) throw new Error('the console was not found')
  reached = []
  const { guard } = fakeGuard(async (request) => {
    reached.push(new URL(request.url).pathname)
    return Response.json({ engine: true }, { status: 404 })
  })
  const handle = createHandler({
    guard,
    basePath: '/api',
    log: pino({ level: 'silent' }),
    metrics: createMetrics(guard),
    metricsToken: undefined,
    outbox: new Outbox(),
    console: await serveConsole({
      built,
      facts: { basePath: '/api', signUp: true, outbox: '/api/dev/outbox?"x"<y>&z' },
    }),
    secure: scheme === 'https',
    stopping: () => false,
  })
  return (path, init, from = '127.0.0.1') => handle(new Request(`http://localhost${path}`, init), from)
}

function toldBy(html: string): unknown {
  const content = /<meta name="sallyport" content="([^"]*)">/.exec(html)?.[1] ?? ''
  const unescaped = content.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
  return JSON.parse(unescaped.replaceAll('&amp;', '&'))
}

test('each address of the console answers its page, and tells it the settings', async () => {
  for (const path of ['/', '/sessions', '/audit/0198c0de-7a11-7c3e-9f00-3c0ffee0cafe', '/accept-invitation']) {
    const response = await get(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(toldBy(await response.text())).toEqual({
      basePath: '/api',
      signUp: true,
      outbox: '/api/dev/outbox?"x"<y>&z',
      docs: '/api/docs',
    })
  }
  expect(reached).toEqual([])
})

test('nobody but this machine is told of the outbox', async () => {
  const outboxFor = async (init: RequestInit, from: string): Promise<unknown> =>
    (toldBy(await (await get('/', init, from)).text()) as { outbox: unknown }).outbox
  expect(await outboxFor({}, '192.0.2.7')).toBe(null)
  expect(await outboxFor({ headers: { 'x-forwarded-for': '192.0.2.7' } }, '127.0.0.1')).toBe(null)
})

test('the page runs and loads nothing but what this server has, and nobody frames it', async () => {
  const { headers } = await get('/')
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"])
    expect(policy).toContain(rule)
  expect(Object.fromEntries(headers)).toMatchObject({
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'strict-transport-security': 'max-age=63072000; includeSubDomains',
  })
  expect((await (await consoleAt('http'))('/')).headers.has('strict-transport-security')).toBe(false)
})

test('what is not there is 404 and never the page in its place; the API and what programs read stay theirs', async () => {
  for (const path of [
    '/x.css',
    '/assets/gone-abc123.js',
    '/assets/gone',
    '/sessions/x.js',
    '/../package.json',
    '/%2e%2e/x.json',
  ]) {
    const response = await get(path)
    expect([path, response.status]).toEqual([path, 404])
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
  }
  for (const path of ['/api', '/api/nothing', '/auth/logout', '/.well-known/x', '/metrics']) {
    expect([path, (await get(path)).status]).toEqual([path, 404])
  }
  expect(reached).toEqual(['/api', '/api/nothing', '/auth/logout', '/.well-known/x', '/metrics'])
  expect((await get('/healthz')).headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect((await get('/sessions', { method: 'POST' })).status).toBe(404)
})

test('files keep for ever under a name made of their content, everything else is asked for again', async () => {
  const script = await get('/assets/index-abc123.js')
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect((await get('/favicon.svg')).headers.get('cache-control')).toBe('no-cache')
  const etag = (await get('/')).headers.get('etag') ?? ''
  const again = await get('/', { headers: { 'if-none-match': `"other", ${etag}` } })
  expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
  expect((await get('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  const head = await get('/assets/index-abc123.js', { method: 'HEAD' })
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', String(SCRIPT.length)])
})

test('the smallest form that the client takes: the one that was built, else one made at the start', async () => {
  const script = async (accepted: string): Promise<[string | null, string, string | null]> => {
    const response = await get('/assets/index-abc123.js', { headers: { 'accept-encoding': accepted } })
    const body = Buffer.from(await response.arrayBuffer())
    const encoding = response.headers.get('content-encoding')
    const read = encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body
    return [encoding, read.toString(), response.headers.get('etag')]
  }
  const forms = [await script('gzip, deflate, br'), await script('gzip, br;q=0'), await script('identity')]
  expect(forms.map(([encoding]) => encoding)).toEqual(['br', 'gzip', null])
  expect(new Set(forms.map(([, text]) => text))).toEqual(new Set([SCRIPT]))
  expect(new Set(forms.map(([, , etag]) => etag)).size).toBe(3)
  expect((await get('/assets/index-abc123.js')).headers.get('vary')).toBe('accept-encoding')
  const font = await get('/assets/font-abc123.woff2', { headers: { 'accept-encoding': 'br' } })
  expect([font.headers.get('content-type'), font.headers.get('content-encoding')]).toEqual(['font/woff2', null])
  expect((await get('/assets/index-abc123.js.gz')).status).toBe(404)
})

test('a page that cannot be told the settings is refused at the start', async () => {
  const built = { index: '<!doctype html>', files: new Map<string, never>() }
  const facts = { basePath: '/api', signUp: true, outbox: undefined }
  await expect(serveConsole({ built, facts })).rejects.toThrow(TypeError)
  expect(await loadConsole([join(folder, 'nowhere')])).toBeUndefined()
})
