import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createHandler } from './app.ts'
import { sampleBody } from './route-table.ts'
import { type Route, route } from './route.ts'
import * as schemas from './schemas.ts'
import { fakeEngine } from './testing/fake-engine.ts'

const accepted: unknown[] = []
const everything: Route = route({
  method: 'POST',
  path: '/api/fuzz/:thingId',
  name: 'fuzz',
  tag: 'Fuzz',
  summary: 'Takes every shared field',
  auth: 'none',
  mutates: false,
  params: { thingId: schemas.idOf() },
  query: { limit: schemas.limit, cursor: schemas.cursor.optional(), from: schemas.instant.optional() },
  body: {
    email: schemas.email,
    name: schemas.name,
    password: schemas.password,
    reason: schemas.reason.optional(),
    purpose: schemas.purpose.optional(),
    deviceInfo: schemas.deviceInfo.optional(),
    answer: z.union([z.strictObject({ code: schemas.code }), z.strictObject({ token: schemas.token })]).optional(),
  },
  responses: { 200: { description: 'Done', body: z.strictObject({ ok: z.boolean() }) } },
  async handle({ body }) {
    accepted.push(body)
    return { status: 200, body: { ok: true } }
  },
})

const ID = '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'
const engine = fakeEngine()
const handler = createHandler({ guard: engine, routes: [everything], checkReplies: true })

async function send(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
  return handler(
    new Request(`http://host${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
  )
}

async function expectNoFault(response: Response): Promise<void> {
  const text = await response.text()
  expect(response.status, text).toBeLessThan(500)
  if (response.status >= 400)
    expect(JSON.parse(text)).toMatchObject({ status: response.status, requestId: expect.any(String) })
}

const fields = Object.keys(sampleBody(everything.body as z.ZodType) as object)
const nasty = fc.oneof(
  fc.constantFrom(
    '\u0000',
    '\ud800',
    '__proto__',
    'constructor',
    '\u0085',
    '\ufeff',
    '1e309',
    '../..',
    '${7*7}',
    "'; drop table",
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, [], {}, [[[[[]]]]], Number.MAX_SAFE_INTEGER),
  fc.jsonValue({ depthSize: 'small' }),
)

test('no body of whatever fields is ever a fault', async () => {
  const body = fc.dictionary(
    fc.oneof(fc.constantFrom(...fields, 'deviceInfo', 'answer', 'reason', '__proto__'), fc.string()),
    nasty,
  )
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const whole = Object.assign(sampleBody(everything.body as z.ZodType) as object, value)
      await expectNoFault(await send(`/api/fuzz/${ID}`, JSON.stringify(whole)))
    }),
    { numRuns: 300 },
  )
})

test('no bytes are ever a fault', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await expectNoFault(await send(`/api/fuzz/${ID}`, new Uint8Array(bytes)))
    }),
    { numRuns: 200 },
  )
})

test('valid JSON with one character changed is never a fault', async () => {
  const text = JSON.stringify(sampleBody(everything.body as z.ZodType))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }),
      async (at, insert) => {
        await expectNoFault(await send(`/api/fuzz/${ID}`, text.slice(0, at) + insert + text.slice(at + 1)))
      },
    ),
    { numRuns: 200 },
  )
})

test('no path and no query is ever a fault', async () => {
  const piece = fc.string({ unit: 'grapheme-ascii', maxLength: 30 }).map((text) => text.replaceAll(/[#\s\\]/g, '%'))
  await fc.assert(
    fc.asyncProperty(piece, piece, async (path, query) => {
      await expectNoFault(await send(`/api/fuzz/${path}?${query}`, '{}'))
    }),
    { numRuns: 200 },
  )
})

test('whatever was accepted is free of control characters and half characters', async () => {
  expect(accepted.length).toBeGreaterThan(0)
  for (const body of accepted) {
    expect(JSON.stringify(body)).not.toMatch(/\\u00[01]|\\u007f|\\u00[89]|\\ud[89a-f]/)
  }
})

test('nothing was logged as a fault', () => {
  expect(engine.logged).toEqual([])
})
