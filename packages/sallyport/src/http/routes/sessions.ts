/**
 * Sessions: see them, end one, end the others, force a member out.
 *
 * @module
 */

import { z } from 'zod'
import type { SessionId, UserId } from '../../ids.ts'
import { describeSession } from '../../sessions/describe.ts'
import { forceLogout } from '../../sessions/force-logout.ts'
import { listSessions } from '../../sessions/list.ts'
import { revokeSession } from '../../sessions/revoke.ts'
import { revokeOtherSessions } from '../../sessions/revoke-others.ts'
import { clearedCookies, sessionCookieNames } from '../cookies.ts'
import type { Route } from '../route.ts'
import { anyId, cursor, idOf, limit, session } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

export const sessionRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/sessions',
    name: 'listSessions',
    tag: 'Sessions',
    summary: 'List your sessions, or those of another member of the tenant, newest seen first.',
    auth: 'session',
    mutates: false,
    permission: { forOthers: 'SETTINGS_SECURITY_VIEW' },
    query: {
      userId: idOf<UserId>().optional(),
      state: z.enum(['active', 'ended', 'all']).default('active'),
      cursor: cursor.optional(),
      limit: limit.optional(),
    },
    responses: {
      200: {
        description: 'One page.',
        body: z.strictObject({
          sessions: z.array(session),
          currentSessionId: anyId,
          nextCursor: z.string().nullable(),
        }),
      },
    },
    async handle({ guard: { engine }, caller, query }) {
      const page = await listSessions(engine, caller, query)
      return {
        status: 200,
        body: {
          sessions: page.sessions.map((row) => describeSession(row, caller.sessionId)),
          currentSessionId: caller.sessionId,
          nextCursor: page.nextCursor,
        },
      }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/sessions/:sessionId/revoke',
    name: 'revokeSession',
    tag: 'Sessions',
    summary: 'End one session.',
    auth: 'session',
    mutates: true,
    permission: { forOthers: 'SETTINGS_SECURITY_EDIT' },
    stepUp: 'revoke_session',
    audit: { action: 'SESSION_REVOKED', resource: 'session', id: 'sessionId' },
    params: { sessionId: idOf<SessionId>() },
    responses: {
      200: {
        description: 'The session is ended, on every node.',
        body: z.strictObject({ success: z.literal(true), currentRevoked: z.boolean() }),
      },
    },
    errors: ['NOT_FOUND', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, params, request, headers, addHeader }) {
      const { currentRevoked, delivery } = await revokeSession(engine, caller, params.sessionId, request)
      if (currentRevoked && delivery === 'cookie') {
        const names = sessionCookieNames(engine.settings, headers)
        for (const line of clearedCookies(engine.settings, names)) addHeader('set-cookie', line)
      }
      return { status: 200, body: { success: true, currentRevoked } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/sessions/revoke-others',
    name: 'revokeOtherSessions',
    tag: 'Sessions',
    summary: 'End all of your sessions in this tenant but the one you speak from.',
    auth: 'session',
    mutates: true,
    permission: null,
    stepUp: 'revoke_other_sessions',
    audit: { action: 'SESSION_REVOKE_ALL', resource: 'session' },
    responses: {
      200: {
        description: 'How many were ended.',
        body: z.strictObject({ success: z.literal(true), revoked: z.int() }),
      },
    },
    async handle({ guard: { engine }, caller, request }) {
      const { revoked } = await revokeOtherSessions(engine, caller, request)
      return { status: 200, body: { success: true, revoked } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/force-logout/:userId',
    name: 'forceLogout',
    tag: 'Sessions',
    summary: 'Force a member of the tenant out of every session.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_EDIT',
    stepUp: 'force_logout',
    audit: { action: 'SESSION_INVALIDATED', resource: 'tenant_staff' },
    params: { userId: idOf<UserId>() },
    responses: {
      200: {
        description: 'Every access and refresh token of the member is dead.',
        body: z.strictObject({ success: z.literal(true), sessionsEnded: z.int(), sessionVersion: z.int() }),
      },
    },
    errors: ['NOT_FOUND', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, params, request }) {
      const { sessionsEnded, sessionVersion } = await forceLogout(engine, caller, params.userId, request)
      return { status: 200, body: { success: true, sessionsEnded, sessionVersion } }
    },
  }),
]
