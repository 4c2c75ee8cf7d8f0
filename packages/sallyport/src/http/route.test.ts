import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createHandler } from './app.ts'
import { route } from './route.ts'
import { idOf, name } from './schemas.ts'
import { fakeEngine } from './testing/fake-engine.ts'

const good = {
  method: 'POST',
  path: '/api/things/:thingId',
  name: 'changeThing',
  tag: 'Things',
  summary: 'Changes a thing',
  auth: 'session',
  mutates: true,
  permission: 'SETTINGS_SECURITY_EDIT',
  stepUp: null,
  audit: { action: 'SESSION_REVOKED', resource: 'session', id: 'thingId' },
  params: { thingId: idOf() },
  body: { name },
  responses: { 204: { description: 'Done' } },
  errors: ['NOT_FOUND'],
  handle: async () => ({ status: 204 }),
}

/** Declared as JavaScript would, past the compiler. */
const declared = (changes: object) => route({ ...good, ...changes } as never)

describe('a route is refused at its declaration', () => {
  test('unless it is sound', () => {
    expect(declared({}).errors).toEqual([
      'INVALID_REQUEST',
      'INVALID_DPOP_PROOF',
      'INVALID_TOKEN',
      'MISSING_TOKEN',
      'SESSION_EXPIRED',
      'SESSION_INVALIDATED',
      'SESSION_REVOKED',
      'TOKEN_EXPIRED',
      'FORBIDDEN',
      'IP_BLOCKED',
      'IP_NOT_ALLOWED',
      'NOT_WHILE_IMPERSONATING',
      'NOT_FOUND',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'STEP_UP_REQUIRED',
      'INTERNAL',
      'UNAVAILABLE',
    ])
  })

  test.each([
    ['it mutates without an audit action', { audit: undefined }],
    ['it mutates without a word on permission', { permission: undefined }],
    ['it mutates without a word on step-up', { stepUp: undefined }],
    ['it does not say whether it mutates', { mutates: undefined }],
    ['it mutates by GET', { method: 'GET', body: undefined }],
    ['its method is unknown', { method: 'TRACE' }],
    ['its path has a pattern', { path: '/api/things/:thingId{.*}' }],
    ['its path has a wildcard', { path: '/api/things/:thingId/*' }],
    ['its path ends in a slash', { path: '/api/things/:thingId/' }],
    ['a parameter of the path has no schema', { params: undefined, audit: 'SESSION_REVOKED' }],
    ['a schema has no parameter in the path', { path: '/api/things' }],
    ['its audit row names an id that is not in the path', { audit: { action: 'SESSION_REVOKED', id: 'other' } }],
    ['its action is unknown', { audit: 'SESSION_REVOKEDD' }],
    ['its permission is unknown', { permission: 'SETTINGS' }],
    ['its step-up purpose has the wrong form', { stepUp: 'Revoke' }],
    ['it asks for a permission of nobody', { auth: 'none' }],
    ['it asks for a step-up of nobody', { auth: 'optional', permission: null, stepUp: 'revoke_session' }],
    ['it has no answer', { responses: {} }],
    ['it declares a refusal as an answer', { responses: { 404: { description: 'x' } } }],
    ['a 204 has a body', { responses: { 204: { description: 'x', body: z.string() } } }],
    [
      'an answer is JSON and something else',
      { responses: { 200: { description: 'x', body: z.string(), content: 'text/plain' } } },
    ],
    ['an error code is unknown', { errors: ['NOPE'] }],
    ['a string has no end', { body: { name: z.string() } }],
    ['a number has no range', { body: { count: z.number() } }],
    ['an array has no end', { body: { names: z.array(name) } }],
    ['a record has no end', { body: { names: z.record(name, name) } }],
    ['a field can be anything', { body: { extra: z.unknown() } }],
    ['an inner object takes unknown fields', { body: { inner: z.object({ name }) } }],
    ['a variant takes unknown fields', { body: z.union([z.strictObject({ name }), z.object({ name })]) }],
    ['a string of a query has no end', { query: { q: z.string().optional() } }],
  ])('when %s', (_, changes) => {
    expect(() => declared(changes)).toThrow(TypeError)
  })

  test('with a message that names the route', () => {
    expect(() => declared({ audit: undefined })).toThrow(/changeThing \(POST \/api\/things\/:thingId\)/)
  })
})

describe('routes are refused beside each other', () => {
  const refused =
    (...changes: object[]) =>
    () =>
      createHandler({ guard: fakeEngine(), routes: changes.map((change) => declared(change)) })

  test('when two answer the same method and path, whatever their parameters are called', () => {
    const renamed = { path: '/api/things/:other', name: 'b', params: { other: idOf() }, audit: 'SESSION_REVOKED' }
    expect(refused({}, renamed)).toThrow(TypeError)
  })

  test('when two have one name', () => {
    expect(refused({}, { path: '/api/others/:thingId' })).toThrow(TypeError)
  })
})
