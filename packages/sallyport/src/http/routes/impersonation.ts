/**
 * Acting as another member: start, exit, and the register.
 *
 * @module
 */

import { z } from 'zod'
import { exitImpersonation } from '../../impersonation/exit.ts'
import { listImpersonations } from '../../impersonation/register.ts'
import { startImpersonation } from '../../impersonation/start.ts'
import { SallyportError } from '../../errors.ts'
import type { StaffId } from '../../ids.ts'
import { describeSession } from '../../sessions/describe.ts'
import { clientOf } from '../client.ts'
import { sessionCookie } from '../cookies.ts'
import { deliver } from '../delivery.ts'
import type { Route } from '../route.ts'
import {
  anyId,
  cursor,
  deviceFingerprint,
  deviceInfo,
  idOf,
  limit,
  reason,
  session,
  timestamp,
  token,
} from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const TAG = 'Impersonation'
const person = z.strictObject({ id: anyId, name: z.string() })

function isProven(headers: Headers): boolean {
  return /^dpop /i.test(headers.get('authorization') ?? '')
}

function unproven(error: unknown): undefined {
  if (!(error instanceof SallyportError) || error.code !== 'INVALID_DPOP_PROOF') throw error
}

export const impersonationRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'POST',
    path: '/api/security/impersonate/:staffId',
    name: 'startImpersonation',
    tag: TAG,
    summary: 'Act as another member, for half an hour at most.',
    description:
      'Never as an owner, as yourself, as a disabled member or as one who may do what you may not, and never from within an ' +
      'impersonation. There is no refresh token: the access token lives as long as the session. It ends at once with your own ' +
      'session, and with whatever ends yours or theirs.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_VIEW',
    stepUp: 'impersonate',
    audit: { action: 'IMPERSONATION_STARTED', resource: 'tenant_staff', id: 'staffId' },
    params: { staffId: idOf<StaffId>() },
    body: { reason },
    responses: {
      200: {
        description: 'You act as the member with this token.',
        body: z.strictObject({ accessToken: z.string(), expiresIn: z.int().describe('Seconds.'), session }),
      },
    },
    errors: ['CANNOT_IMPERSONATE', 'NOT_FOUND', 'FORBIDDEN', 'SESSION_REVOKED'],
    async handle({ guard: { engine }, caller, params, body, request }) {
      const started = await startImpersonation(engine, caller, { ...params, ...body, request })
      const { accessToken, expiresIn } = started
      return { status: 200, body: { accessToken, expiresIn, session: describeSession(started.session) } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/impersonate/exit',
    name: 'exitImpersonation',
    tag: TAG,
    summary: 'Stop acting as another.',
    description:
      'Rests on the step-up of the start, whenever that was. Tokens of your own session are answered only where its refresh ' +
      'token came along, in the body or as its cookie, with whatever a refresh of it needs: its device, a DPoP proof. ' +
      'Otherwise refresh it yourself.',
    auth: 'session',
    whileImpersonating: 'always',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'IMPERSONATION_ENDED', resource: 'session' },
    body: {
      refreshToken: token.optional(),
      deviceFingerprint: deviceFingerprint.optional(),
      deviceInfo: deviceInfo.optional(),
    },
    responses: {
      200: {
        description: 'The impersonation is over, on every node.',
        body: z.strictObject({
          success: z.literal(true),
          accessToken: z.string().optional(),
          expiresIn: z.int().optional().describe('Seconds.'),
          refreshToken: z.string().optional(),
          session: session.optional(),
        }),
      },
    },
    errors: ['CONFLICT', 'CSRF_REFUSED'],
    async handle(input) {
      const { guard, caller, body, request, headers, addHeader } = input
      const { engine } = guard
      const { refreshToken: given, deviceFingerprint, deviceInfo } = body
      const device = { deviceFingerprint, deviceInfo }
      const cookie = given === undefined ? sessionCookie(engine.settings, headers) : undefined
      const delivery = cookie === undefined ? 'body' : 'cookie'
      // Where the access token came with a proof, that one speaks for the refresh as well: a request has one, which is good once.
      const provenKey = isProven(headers) ? caller.keyThumbprint : undefined
      const client = await clientOf(input, { provenKey, device }).catch(unproven)
      const back = await exitImpersonation(engine, caller, {
        // What cannot be proven is as good as not sent: nothing keeps an impersonation from ending.
        refreshToken: client && (given ?? cookie?.token),
        delivery,
        proofs: client?.proofs,
        request: client?.request ?? { ...request, ...device },
      })
      if (back === undefined) return { status: 200, body: { success: true } }
      return {
        status: 200,
        body: {
          success: true,
          ...deliver(engine.settings, addHeader, delivery, back, back.session),
          session: describeSession(back.session, back.session.id),
        },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/security/impersonations',
    name: 'listImpersonations',
    tag: TAG,
    summary: 'The register: who acted as whom, why, when, and how it ended.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    query: { cursor: cursor.optional(), limit: limit.optional() },
    responses: {
      200: {
        description: 'One page, newest first.',
        body: z.strictObject({
          impersonations: z.array(
            z.strictObject({
              sessionId: anyId,
              realUser: person.describe('Who acted.'),
              user: person.describe('As whom.'),
              staffId: anyId,
              reason: z.string(),
              ipAddress: z.string().nullable(),
              startedAt: timestamp,
              expiresAt: timestamp,
              endedAt: timestamp.nullable().describe('Null while it lasts.'),
              ended: z
                .string()
                .nullable()
                .describe('`exit`, `expired`, or what ended the sessions behind it; null while it lasts.'),
              events: z.string().describe('Where the rows are that were written meanwhile.'),
            }),
          ),
          nextCursor: z.string().nullable(),
        }),
      },
    },
    async handle({ guard: { engine }, caller, query }) {
      const { impersonations, nextCursor } = await listImpersonations(engine, caller, query)
      return { status: 200, body: { impersonations: [...impersonations], nextCursor } }
    },
  }),
]
