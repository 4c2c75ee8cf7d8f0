/**
 * What the compiler must refuse in a route's declaration.
 *
 * @module
 */

import { z } from 'zod'
import type { SessionId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import type { HttpEngine } from './engine.ts'
import { type Route, route, routesFor } from './route.ts'
import { idOf, timestamp } from './schemas.ts'

const common = { tag: 'Things', summary: 'Does a thing' } as const
const ok = { 200: { description: 'Done', body: z.strictObject({ at: timestamp }) } } as const

route({
  ...common,
  method: 'POST',
  path: '/api/things/:thingId',
  name: 'typed',
  auth: 'session',
  mutates: true,
  permission: { forOthers: 'SETTINGS_SECURITY_EDIT' },
  stepUp: 'revoke_session',
  audit: { action: ['USER_ROLE_UPDATED', 'USER_DISABLED'], id: 'thingId' },
  params: { thingId: idOf<SessionId>() },
  body: { count: z.int().min(0).max(9).optional() },
  responses: ok,
  async handle({ params, body, caller, query, credential }) {
    const id: SessionId = params.thingId
    const count: number | undefined = body.count
    const who: Caller = caller
    const none: undefined = query
    const neither: undefined = credential
    // @ts-expect-error a parameter that was not declared is not there
    void params.other
    // @ts-expect-error a field that was not declared is not there
    void body.other
    void [id, count, who, none, neither]
    return { status: 200, body: { at: new Date() } }
  },
})

route({
  ...common,
  method: 'GET',
  path: '/api/things',
  name: 'optional',
  auth: 'optional',
  mutates: false,
  responses: { 200: { description: 'Done', content: 'text/plain' }, 204: { description: 'None' } },
  async handle({ caller }) {
    // @ts-expect-error an optional caller may be nobody
    void caller.userId
    return caller === undefined ? { status: 204 } : { status: 200, body: caller.userId }
  },
})

route({
  ...common,
  method: 'POST',
  path: '/api/things',
  name: 'credential',
  auth: { credential: ['stepUpToken'] },
  mutates: false,
  responses: ok,
  async handle({ credential }) {
    const token: string = credential.token
    return { status: 200, body: { at: token } }
  },
})

route({
  ...common,
  method: 'GET',
  path: '/api/lists',
  name: 'lists',
  auth: { credential: ['accessToken'], optional: true },
  mutates: false,
  responses: { 200: { description: 'Done', body: z.strictObject({ names: z.array(z.string()) }) } },
  async handle({ credential }) {
    // @ts-expect-error an optional credential may be absent
    void credential.token
    // A list written in place is a list like any other.
    return { status: 200, body: { names: ['a'] } }
  },
})

// @ts-expect-error a route that mutates needs an audit action
route({
  ...common,
  method: 'POST',
  path: '/api/things',
  name: 'unaudited',
  auth: 'session',
  mutates: true,
  permission: null,
  stepUp: null,
  responses: ok,
  handle: async () => ({ status: 200, body: { at: '' } }),
})

// @ts-expect-error a route that mutates must state its permission and step-up, if only as null
route({
  ...common,
  method: 'POST',
  path: '/api/things',
  name: 'unguarded',
  auth: 'session',
  mutates: true,
  audit: 'SESSION_REVOKED',
  responses: ok,
  handle: async () => ({ status: 200, body: { at: '' } }),
})

route({
  ...common,
  method: 'GET',
  path: '/api/things',
  name: 'undeclaredStatus',
  auth: 'none',
  mutates: false,
  responses: ok,
  // @ts-expect-error a status that is not declared cannot be answered
  handle: async () => ({ status: 201, body: { at: '' } }),
})

route({
  ...common,
  method: 'GET',
  path: '/api/things',
  name: 'wrongBody',
  auth: 'none',
  mutates: false,
  responses: ok,
  // @ts-expect-error a body must be the one declared for its status
  handle: async () => ({ status: 200, body: { at: 1 } }),
})

route({
  ...common,
  method: 'GET',
  path: '/api/things',
  name: 'unknownCode',
  auth: 'none',
  mutates: false,
  responses: ok,
  // @ts-expect-error an error code must be one of the list
  errors: ['NOPE'],
  handle: async () => ({ status: 200, body: { at: '' } }),
})

route({
  ...common,
  method: 'POST',
  path: '/api/things/:thingId',
  name: 'unknownId',
  auth: 'session',
  mutates: true,
  permission: null,
  stepUp: null,
  // @ts-expect-error the id of an audit row must be a parameter
  audit: { action: 'SESSION_REVOKED', id: 'other' },
  params: { thingId: idOf<SessionId>() },
  responses: ok,
  handle: async () => ({ status: 200, body: { at: '' } }),
})

interface WithSessions extends HttpEngine {
  readonly sessions: { readonly list: () => Promise<Date> }
}

const needsMore: Route<WithSessions> = routesFor<WithSessions>()({
  ...common,
  method: 'GET',
  path: '/api/things',
  name: 'needsMore',
  auth: 'none',
  mutates: false,
  responses: ok,
  async handle({ guard }) {
    return { status: 200, body: { at: await guard.sessions.list() } }
  },
})

// @ts-expect-error an engine without sessions cannot serve a route that needs them
export const servedByLess: Route<HttpEngine> = needsMore
