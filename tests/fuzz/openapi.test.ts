/**
 * The API, fuzzed from its own document: whatever is sent, nothing is a fault, every refusal is one that is documented and
 * names its field, nothing changes by a refusal, and no answer tells a secret.
 *
 * `SALLYPORT_FUZZ_RUNS` sets how many requests are sent (3,000 by default), `SALLYPORT_FUZZ_SEED` repeats a run.
 *
 * @module
 */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { API_ROUTES } from '../../packages/sallyport/src/http/api.ts'
import type { OpenApiOperation } from '../../packages/sallyport/src/http/openapi.ts'
import { openApiDocument } from '../../packages/sallyport/src/http/openapi.ts'
import type { JsonSchema } from '../../packages/sallyport/src/http/published.ts'
import { sampleOf } from '../../packages/sallyport/src/http/sample.ts'
import { BUILT_IN_PURPOSES } from '../../packages/sallyport/src/step-up/purposes.ts'
import { PASSWORD } from '../support/directory-bench.ts'
import type { InProcess, Member, Sent, Snapshot } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

const RUNS = Number(process.env['SALLYPORT_FUZZ_RUNS'] ?? 3000)
// The everyday run repeats itself, so that a red build tells of its change; the long run draws a seed of its own.
const DRAWN = process.env['SALLYPORT_FUZZ_RUNS'] === undefined ? 20_261_121 : Math.floor(Math.random() * 0x7fffffff)
const SEED = Number(process.env['SALLYPORT_FUZZ_SEED'] ?? DRAWN)

const document = openApiDocument(API_ROUTES)
const definitions = document.components.schemas

interface Operation {
  readonly method: string
  readonly path: string
  readonly spec: OpenApiOperation
  readonly fields: readonly {
    readonly place: 'path' | 'query' | 'body'
    readonly name: string
    readonly schema: JsonSchema
  }[]
}

const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, spec]) => {
    const body = bodySchema(spec)
    return {
      method: method.toUpperCase(),
      path,
      spec,
      fields: [
        ...(spec.parameters ?? []).map(({ name, in: place, schema }) => ({ place, name, schema })),
        ...Object.entries(body?.properties ?? {}).map(([name, schema]) => ({ place: 'body' as const, name, schema })),
      ],
    }
  }),
)

function bodySchema(spec: OpenApiOperation): JsonSchema | undefined {
  const [content] = Object.values(spec.requestBody?.content ?? {})
  return content === undefined ? undefined : referred(content.schema)
}

function referred(schema: JsonSchema): JsonSchema {
  return schema.$ref === undefined ? schema : (definitions[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {})
}

/** In every text that is sent where a value belongs; no refusal may repeat it. */
const MARK = 'zqMARKqz'

const TEXTS = [
  '',
  ' ',
  '\u0000',
  `a\u0000${MARK}`,
  '\ud800',
  `${MARK}\udc00`,
  '\u202e\u2066',
  '\ufeff',
  '\u0085\u2028',
  'e\u0301'.repeat(60),
  '\ufdfa'.repeat(120),
  '👩‍👩‍👧'.repeat(40),
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '-0',
  '1e309',
  '0x10',
  '%00',
  '%',
  '%ED%A0%80',
  '..%2f..%2fetc%2fpasswd',
  "' or '1'='1",
  `'; drop table users; -- ${MARK}`,
  "\\'; select pg_sleep(5) --",
  '$$; select 1; $$',
  `"${MARK}`,
  '{"$gt":""}',
  '${7*7}{{7*7}}<%= 7 %>',
  `<script>${MARK}</script>`,
  'javascript:alert(1)',
  `a@b.c\r\nBcc: ${MARK}@example.com`,
  'a@b.c,d@e.f',
  '"quoted"@example.com',
  'user@[127.0.0.1]',
  `${'a'.repeat(30)}!@${'b-'.repeat(100)}`,
  `${'a.'.repeat(120)}@${'a.'.repeat(60)}`,
  `${'a'.repeat(250)}@`,
  `${'x@'.repeat(120)}x`,
  '2026-13-45T99:99:99Z',
  `2026-01-01T00:00:00.${'0'.repeat(30)}1Z`,
  '9'.repeat(400),
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '0198C0DE-7A11-7C3E-9F00-3C0FFEE0CAFE',
  'sprt_',
  `sprt_${'A'.repeat(120)}`,
  `spot_${'A'.repeat(43)}`,
  'eyJhbGciOiJub25lIn0.e30.',
] as const

/** JSON that no value of JavaScript is written as. */
const ODD_JSON = [
  '1e400',
  '-1e400',
  '123456789012345678901234567890',
  '0.1e-400',
  '-0',
  '"\\ud800"',
  '"\\u0000"',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '{"":""}',
  `${'['.repeat(33)}${']'.repeat(33)}`,
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `[${'0,'.repeat(5000)}0]`,
  `{${Array.from({ length: 40 }, (_, index) => `"k${index}":${index}`).join(',')}}`,
  'true',
  'null',
  '[]',
  '{}',
] as const

interface Value {
  /** As JSON. */
  readonly json: string
  /** As text, for paths and queries. */
  readonly text: string
}

const valueOfText = (text: string): Value => ({ json: JSON.stringify(text), text })
const unit = fc.constantFrom('a', 'é', '漢', '😀', 'ﬃ', '0')

/** Values for a field, near what its schema says and far from it. */
function valuesFor(schema: JsonSchema): fc.Arbitrary<Value> {
  const { minLength, maxLength, minimum, maximum } = referred(schema) as Record<string, number | undefined>
  const lengths = [minLength, maxLength]
    .flatMap((at) => (at === undefined ? [] : [at - 1, at, at + 1]))
    .filter((n) => n >= 0)
  const numbers = [minimum, maximum].flatMap((at) => (at === undefined ? [] : [at - 1, at, at + 1, at + 0.5]))
  const allowed = referred(schema)['enum']
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...TEXTS).map(valueOfText) },
    { weight: 3, arbitrary: fc.constantFrom(...ODD_JSON).map((json) => ({ json, text: json.slice(0, 2000) })) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }).map(valueOfText) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map(valueOfText) },
    {
      weight: 2,
      arbitrary: fc
        .jsonValue({ depthSize: 'small' })
        .map((value) => ({ json: JSON.stringify(value), text: JSON.stringify(value) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .double()
        .map((value) => ({ json: Number.isFinite(value) ? String(value) : '0', text: String(value) })),
    },
    ...(lengths.length === 0
      ? []
      : [
          {
            weight: 3,
            arbitrary: fc
              .tuple(fc.constantFrom(...lengths), unit)
              .map(([length, character]) => valueOfText(character.repeat(length))),
          },
        ]),
    ...(numbers.length === 0
      ? []
      : [
          {
            weight: 2,
            arbitrary: fc.constantFrom(...numbers).map((value) => ({ json: String(value), text: String(value) })),
          },
        ]),
    ...(Array.isArray(allowed) && allowed.length > 0
      ? [{ weight: 1, arbitrary: fc.constantFrom(...(allowed as string[])).map((value) => valueOfText(value)) }]
      : []),
  )
}

type Change =
  | { readonly kind: 'value'; readonly place: 'path' | 'query' | 'body'; readonly name: string; readonly value: Value }
  | { readonly kind: 'missing'; readonly name: string }
  | { readonly kind: 'twice'; readonly place: 'query' | 'body'; readonly name: string }
  | { readonly kind: 'unknown'; readonly place: 'query' | 'body'; readonly name: string; readonly value: Value }
  | { readonly kind: 'whole'; readonly body: string | Uint8Array<ArrayBuffer> }
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'none' }

const BODIES: readonly (string | Uint8Array<ArrayBuffer>)[] = [
  '',
  ' ',
  '{',
  '{"a"}',
  '{}{}',
  '[]',
  '"text"',
  '7',
  'null',
  '\ufeff{}',
  "{'a':1}",
  '{"a":NaN}',
  '{"a":1,}',
  '/**/{}',
  '{"__proto__":{}}',
  new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
  new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
  new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]),
  new Uint8Array([0x1f, 0x8b, 0x08, 0x00]),
  `{"a":"${'x'.repeat(64 * 1024)}"}`,
  `{"a":"${'\\u0061'.repeat(9000)}"}`,
  '['.repeat(60_000),
]

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json; charset="utf-8"; a=b' },
  { 'content-type': 'application/jsonp' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-type': `application/json${';a'.repeat(2000)}` },
  { 'content-encoding': 'gzip' },
  { 'content-length': '99999999999' },
  { 'content-length': '-1' },
  { 'x-request-id': `${MARK} <b>` },
  { 'x-request-id': 'a'.repeat(5000) },
  { traceparent: '00-00000000000000000000000000000000-0000000000000000-00' },
  { 'user-agent': 'x'.repeat(6000) },
  { 'user-agent': `Mozilla/5.0 (${'a;'.repeat(3000)}` },
  { 'user-agent': '\u00ff\u00fe' },
  { 'x-forwarded-for': '::1' },
  { cookie: `a=${'b'.repeat(4000)}` },
  { authorization: `Bearer ${'a'.repeat(9000)}` },
  { authorization: `Bearer ${'a.'.repeat(3000)}` },
  { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' },
  { accept: 'text/html' },
  { 'accept-language': '*'.repeat(3000) },
]

function changesOf({ fields, spec }: Operation): fc.Arbitrary<Change> {
  const value = fields.map(({ place, name, schema }) =>
    valuesFor(schema).map((made): Change => ({ kind: 'value', place, name, value: made })),
  )
  const inBody = fields.filter(({ place }) => place === 'body').map(({ name }) => name)
  const inQuery = fields.filter(({ place }) => place === 'query').map(({ name }) => name)
  const required = inBody.filter((name) => bodySchema(spec)?.required?.includes(name))
  const names = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'Email', ' email', 'a.b', '', MARK),
    fc.string({ unit: 'binary' }),
  )
  return fc.oneof(
    ...value.map((arbitrary) => ({ weight: 8, arbitrary })),
    ...(required.length === 0
      ? []
      : [{ weight: 1, arbitrary: fc.constantFrom(...required).map((name): Change => ({ kind: 'missing', name })) }]),
    ...(inBody.length === 0
      ? []
      : [
          {
            weight: 1,
            arbitrary: fc.constantFrom(...inBody).map((name): Change => ({ kind: 'twice', place: 'body', name })),
          },
        ]),
    ...(inQuery.length === 0
      ? []
      : [
          {
            weight: 1,
            arbitrary: fc.constantFrom(...inQuery).map((name): Change => ({ kind: 'twice', place: 'query', name })),
          },
        ]),
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('query', 'body'), names, valuesFor({}))
        .map(([place, name, made]): Change => ({ kind: 'unknown', place: place as 'query', name, value: made })),
    },
    { weight: 2, arbitrary: fc.constantFrom(...BODIES).map((body): Change => ({ kind: 'whole', body })) },
    {
      weight: 2,
      arbitrary: fc
        .uint8Array({ maxLength: 200 })
        .map((bytes): Change => ({ kind: 'whole', body: new Uint8Array(bytes) })),
    },
    { weight: 2, arbitrary: fc.constantFrom(...HEADERS).map((headers): Change => ({ kind: 'headers', headers })) },
    { weight: 1, arbitrary: fc.constant<Change>({ kind: 'none' }) },
  )
}

interface Person extends Member {
  refreshToken: string
  readonly secrets: readonly string[]
}

let api: InProcess
let person: Person
let state: Snapshot
let sent = 0
const statuses = new Map<number, number>()

beforeAll(async () => {
  console.log(`fuzz: seed ${SEED}, ${RUNS} requests`)
  api = await openInProcess()
  await renew()
})
afterAll(async () => {
  console.log(
    `fuzz: ${sent} requests; ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}`,
  )
  await api?.close()
})

/** Someone with a factor and every purpose open, so that no guard keeps a request from what is behind it. */
async function renew(): Promise<void> {
  const member = await api.signUp()
  const { secret, recoveryCodes } = await api.enrol(member)
  await api.open(member, ...BUILT_IN_PURPOSES)
  person = { ...member, secrets: [PASSWORD, member.accessToken, secret, ...recoveryCodes] }
  state = await api.snapshot()
}

/** What stands in a request where it was not changed. */
function plain(name: string, schema: JsonSchema): unknown {
  const known: Record<string, unknown> = {
    refreshToken: person.refreshToken,
    userId: person.userId,
    sessionId: person.sessionId,
    email: `fuzz-${sent}@example.com`,
    currentPassword: 'not the password',
    // Well formed, and an answer to nothing that was asked.
    response: {
      id: 'AAAA',
      rawId: 'AAAA',
      type: 'public-key',
      response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA' },
      clientExtensionResults: {},
    },
  }
  return Object.hasOwn(known, name) ? known[name] : sampleOf(schema, definitions)
}

function build(operation: Operation, change: Change): { path: string; options: Parameters<InProcess['send']>[2] } {
  const { fields, spec, method } = operation
  // What brings the token is a choice; here it is the body.
  const required = [...(bodySchema(spec)?.required ?? []), ...(spec.operationId === 'refresh' ? ['refreshToken'] : [])]
  let path = operation.path
  const query: string[] = []
  const members: string[] = []
  for (const { place, name, schema } of fields) {
    const changed = change.kind === 'value' && change.place === place && change.name === name ? change.value : undefined
    if (place === 'path') {
      // A segment that is empty or a dot is another path.
      const text = changed === undefined ? String(plain(name, schema)) : changed.text || '%20'
      path = path.replace(`{${name}}`, () => escaped(text).replace(/^\.{1,2}$/, '%2e%2e%20'))
    }
    if (place === 'query') {
      if (changed !== undefined) query.push(`${name}=${escaped(changed.text)}`)
      else if (isRequired(spec, name)) query.push(`${name}=${escaped(String(plain(name, schema)))}`)
      if (change.kind === 'twice' && change.name === name) query.push(`${name}=1`, `${name}=1`)
    }
    if (place === 'body') {
      if (change.kind === 'missing' && change.name === name) continue
      if (changed !== undefined) members.push(`${JSON.stringify(name)}:${changed.json}`)
      else if (required.includes(name)) members.push(`${JSON.stringify(name)}:${JSON.stringify(plain(name, schema))}`)
      if (change.kind === 'twice' && change.place === 'body' && change.name === name) {
        const text = `${JSON.stringify(name)}:${JSON.stringify(plain(name, schema))}`
        members.push(text, text)
      }
    }
  }
  if (change.kind === 'unknown') {
    if (change.place === 'query') query.push(`${escaped(change.name)}=${escaped(change.value.text)}`)
    else members.push(`${JSON.stringify(change.name)}:${change.value.json}`)
  }
  const headers = change.kind === 'headers' ? change.headers : {}
  const raw = change.kind === 'whole' ? change.body : `{${members.join(',')}}`
  return {
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    options: {
      ...(method === 'GET' ? {} : { raw }),
      headers,
      ...(headers['authorization'] === undefined && spec.security.length > 0 ? { token: person.accessToken } : {}),
    },
  }
}

function isRequired(spec: OpenApiOperation, name: string): boolean {
  return spec.parameters?.some((parameter) => parameter.name === name && parameter.required) === true
}

/** As a hostile client would: what is escaped already stays, what cannot be escaped is sent as bytes. */
function escaped(text: string): string {
  if (/^(?:%|\.\.%)/.test(text)) return text
  return text.isWellFormed() ? encodeURIComponent(text).slice(0, 9000) : '%ED%A0%80'
}

/** Refusals that count a guess. */
const GUESSES = ['INVALID_OTP', 'INVALID_CREDENTIALS', 'RATE_LIMITED', 'NO_FACTOR', 'TOTP_NOT_ENABLED']
const LEAKS = /node_modules|\.[jt]s:\d+|argon2|syntax error at|relation "|duplicate key|violates|pglite|drizzle/i

async function check(operation: Operation, change: Change): Promise<void> {
  const { method, spec } = operation
  const { path, options } = build(operation, change)
  sent++
  const answer = await api.send(method, path, options)
  const { status, body, text, headers } = answer
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const told = `${method} ${path.slice(0, 200)} → ${status} ${text.slice(0, 500)}`

  expect(status, told).toBeLessThan(500)
  expect(Object.keys(spec.responses).map(Number), told).toContain(status)
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  for (const secret of [...person.secrets, person.refreshToken])
    expect(text.includes(secret), `a secret in ${told}`).toBe(false)

  if (status < 400) {
    // A refresh that went through: what was sent is spent, and the next request sends what was given.
    if (spec.operationId === 'refresh') person.refreshToken = body.refreshToken
    state = await api.snapshot()
    if (spec.operationId === 'logout' || /^revoke|forceLogout|removeFactor/.test(spec.operationId)) await renew()
    return
  }
  expect(headers.get('content-type'), told).toContain('application/problem+json')
  expect(Object.keys(body).slice(0, 6), told).toEqual(['type', 'title', 'status', 'detail', 'error', 'requestId'])
  expect(documentedCodes(spec, status), told).toContain(body.error)
  expect(LEAKS.test(text), told).toBe(false)
  if (change.kind !== 'unknown') expect(text, told).not.toContain(MARK)
  namesItsField(change, answer, told)

  const after = await api.snapshot()
  const counted = GUESSES.includes(body.error) ? ['guess_budgets'] : []
  // A challenge is good for one try, whatever comes of it.
  const spent = operation.fields.some(({ name }) => /^(?:response|assertion)$/.test(name)) ? ['step_up_challenges'] : []
  const beside = (snapshot: Snapshot): Snapshot =>
    Object.fromEntries(Object.entries(snapshot).filter(([table]) => ![...counted, ...spent].includes(table)))
  expect(beside(after), told).toEqual(beside(state))
  state = after
  // Guessed at too often: the next ones would all be refused for that alone.
  if (body.error === 'RATE_LIMITED') await renew()
}

function documentedCodes(spec: OpenApiOperation, status: number): unknown {
  const schema = spec.responses[status]?.content?.['application/problem+json']?.schema
  return schema?.properties?.['error']?.['enum']
}

/** One field was changed, so it is the one that a 400 must name; another way of being wrong names where it is. */
function namesItsField(change: Change, { body }: Sent, told: string): void {
  if (body.error === 'PASSWORD_REJECTED') expect(body.field, told).toMatch(/^(?:password|newPassword)$/)
  if (body.error !== 'INVALID_REQUEST') return
  expect(typeof body.field === 'string' && body.field.length > 0, told).toBe(true)
  expect(body.detail.startsWith(body.field), told).toBe(true)
  const [root] = String(body.field).split('.')
  if (change.kind === 'value') {
    // What two parsers would read differently is refused by the name of the member, wherever it stands.
    const inner =
      /^(?:a|__proto__|body)$/.test(root ?? '') && change.place === 'body' && /^[[{]/.test(change.value.json)
    if (!inner) expect([change.name, ...(BESIDE[change.name] ?? [])], told).toContain(root)
  }
  if (change.kind === 'missing' || change.kind === 'twice') expect(root, told).toBe(change.name)
  if (change.kind === 'whole') expect(['body', '__proto__', 'a', 'refreshToken', ...REQUIRED], told).toContain(root)
}

/** What else is wrong with a request that is otherwise plain: an answer to nothing that was asked, or none at all. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  factor: ['code', 'assertion'],
  purpose: ['code', 'assertion'],
  label: ['response'],
}

const REQUIRED = OPERATIONS.flatMap(({ spec }) => bodySchema(spec)?.required ?? [])

describe(`seed ${SEED}`, () => {
  const runs = Math.ceil(RUNS / OPERATIONS.length)
  test.each(OPERATIONS.map((operation) => [operation.method, operation.path, operation] as const))(
    '%s %s',
    async (_method, _path, operation) => {
      state = await api.snapshot()
      await fc.assert(
        fc.asyncProperty(changesOf(operation), (change) => check(operation, change)),
        { numRuns: runs, seed: SEED, endOnFailure: true },
      )
    },
    Math.max(120_000, RUNS * 60),
  )
})
