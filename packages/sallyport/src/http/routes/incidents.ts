/**
 * Incidents: what was detected, and the case file of each.
 *
 * @module
 */

import { z } from 'zod'
import type { AuditRow } from '../../audit/record.ts'
import type { AuditId } from '../../ids.ts'
import { ADVICE_CODES } from '../../incidents/advice.ts'
import type { Action, Branch, BranchToken, Mark, TakenApart } from '../../incidents/branches.ts'
import { caseFile } from '../../incidents/case-file.ts'
import { listIncidents } from '../../incidents/list.ts'
import { describeDevice } from '../../sessions/describe.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import { anyId, cursor, idOf, limit, timestamp } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

export const incident = nameSchema(
  'Incident',
  z.strictObject({
    id: anyId,
    at: timestamp,
    reason: z.string().describe('reuse_detected, high_risk_activity or rapid_token_creation.'),
    level: z.string(),
    score: z.int().min(0).max(100).nullable(),
    reasons: z.array(z.string()).describe('The signals behind the score.'),
    userId: anyId.nullable().describe('Whom it happened to.'),
    userName: z.string().nullable().describe('As they are called now.'),
    staffId: anyId.nullable(),
    sessionId: anyId.nullable(),
    ipAddress: z.string().nullable(),
    country: z.string().nullable(),
    city: z.string().nullable(),
    userAgent: z.string().nullable(),
    correlationId: z.string(),
  }),
)

const event = nameSchema(
  'IncidentEvent',
  z.strictObject({
    id: anyId,
    at: timestamp,
    action: z.string(),
    outcome: z.enum(['SUCCESS', 'FAIL']),
    failureReason: z.string().nullable(),
    userId: anyId.nullable(),
    actorName: z.string().nullable(),
    sessionId: anyId.nullable(),
    resource: z.string().nullable(),
    resourceId: z.string().nullable(),
    metadata: z.unknown(),
    ipAddress: z.string().nullable(),
    country: z.string().nullable(),
    city: z.string().nullable(),
    userAgent: z.string().nullable(),
    correlationId: z.string(),
  }),
)

const seenWith = {
  ipAddress: z.string().nullable(),
  country: z.string().nullable(),
  city: z.string().nullable(),
  userAgent: z.string().nullable(),
  device: z.strictObject({ browser: z.string().nullable(), os: z.string().nullable(), type: z.string() }),
  deviceId: z.string().nullable().describe('Tells devices apart and names none; null where the client showed none.'),
}

const branchToken = nameSchema(
  'CaseToken',
  z.strictObject({
    generation: z.int(),
    issuedAt: timestamp,
    usedAt: timestamp.nullable().describe('When it was exchanged for the next.'),
    reusedAt: timestamp.nullable().describe('When it came back spent, and betrayed the theft.'),
    ...seenWith,
    handedOutAgain: z
      .array(z.strictObject({ at: timestamp, cause: z.string(), ...seenWith }))
      .describe('Retries that were answered with this very token.'),
  }),
)

const action = nameSchema(
  'CaseAction',
  z.strictObject({
    ...event.shape,
    attributedBy: z
      .enum(['generation', 'address_and_agent', 'address', 'agent'])
      .nullable()
      .describe('`generation`: made with a token that only this branch was given. The others are likenesses.'),
  }),
)

const resemblance = z.boolean().nullable().describe('Null where either side shows nothing to compare.')

const branch = nameSchema(
  'CaseBranch',
  z.strictObject({
    id: z.enum(['went_on', 'came_back']).describe('Spent the token first; presented it when it was spent.'),
    kind: z
      .enum(['owner', 'other', 'unknown'])
      .describe(
        '`owner`: it alone resembles the session as it was before. `unknown` where the evidence does not tell. Never a proof.',
      ),
    resembles: z.strictObject({ network: resemblance, agent: resemblance, device: resemblance }),
    firstSeenAt: timestamp.nullable(),
    lastSeenAt: timestamp.nullable(),
    ...seenWith,
    seen: z.array(z.strictObject({ at: timestamp, ...seenWith })).describe('All that it was seen with, newest first.'),
    tokens: z.array(branchToken),
    tokenCount: z.int(),
    actions: z.array(action).describe('What it did since they parted, oldest first.'),
    actionCount: z.int(),
  }),
)

const MOST_TOKENS = 100
const MOST_ACTIONS = 200

export const incidentRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/incidents',
    name: 'listIncidents',
    tag: 'Incidents',
    summary: 'List detected thefts and stops of the tenant, newest first.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    query: { cursor: cursor.optional(), limit: limit.optional() },
    responses: {
      200: {
        description: 'One page.',
        body: z.strictObject({ incidents: z.array(incident), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ guard: { engine }, caller, query }) {
      const { incidents, nextCursor } = await listIncidents(engine, caller, query)
      return {
        status: 200,
        body: { incidents: incidents.map((one) => ({ ...one, reasons: [...one.reasons] })), nextCursor },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/security/incidents/:incidentId',
    name: 'incidentCaseFile',
    tag: 'Incidents',
    summary: 'The case file of an incident: what happened, what was contained, who was told, what to do next.',
    description:
      'Of a theft, the lineage of the stolen session taken apart into its two branches: what each was seen with, its tokens, and what it did since they parted, as far as tokens, addresses and programs tell them apart. What they do not tell is said to be undecided.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    params: { incidentId: idOf<AuditId>() },
    responses: {
      200: {
        description: 'The case file.',
        body: z.strictObject({
          incident,
          details: z.record(z.string(), z.unknown()).describe('The evidence, as it was recorded.'),
          events: z
            .array(event)
            .describe(
              'Of its request, its session and the person, a day before to a day after, oldest first, 200 at most.',
            ),
          family: z
            .strictObject({
              id: anyId,
              sessionId: anyId.nullable(),
              binding: z.enum(['none', 'cookie', 'key']),
              startedAt: timestamp,
              generations: z.int(),
            })
            .nullable()
            .describe('Null for a sign-in that was stopped, and once the family was cleaned up.'),
          contained: z.strictObject({
            at: timestamp,
            scope: z.string().nullable().describe('family, staff or user; null where there was nothing to end.'),
            sessions: z.array(anyId),
            families: z.int(),
            sessionVersion: z.int().nullable().describe("What the member's tokens must have since."),
          }),
          parted: z
            .strictObject({ generation: z.int(), at: timestamp.nullable() })
            .nullable()
            .describe('The generation that both held, and when it was spent. Null unless a token was reused.'),
          before: z.array(branchToken).describe('The last generations up to the parting.'),
          branches: z.array(branch),
          undecided: z.array(action).describe('What was done since they parted and could have been of either.'),
          complete: z.boolean().describe('Whether all that was recorded since they parted was looked through.'),
          told: z
            .array(z.strictObject({ userId: anyId, name: z.string().nullable(), as: z.enum(['person', 'admin']) }))
            .nullable()
            .describe('To whom mails were addressed; null where that was not recorded.'),
          advice: z.array(
            z.strictObject({
              code: z.enum(ADVICE_CODES),
              done: z.boolean().nullable().describe('Null for what no data can tell.'),
            }),
          ),
        }),
      },
    },
    errors: ['NOT_FOUND'],
    async handle({ guard: { engine }, caller, params }) {
      const { theft, ...file } = await caseFile(engine, caller, params.incidentId)
      return {
        status: 200,
        body: {
          ...file,
          incident: { ...file.incident, reasons: [...file.incident.reasons] },
          details: { ...file.details },
          events: file.events.map(eventOf),
          ...theftOf(theft),
        },
      }
    },
  }),
]

function theftOf(theft: TakenApart | null) {
  if (theft === null) return { parted: null, before: [], branches: [], undecided: [] }
  return {
    parted: theft.parted,
    before: theft.before.map(tokenOf),
    branches: theft.branches.map(branchOf),
    undecided: oldestFirst(theft.undecided).slice(0, MOST_ACTIONS).map(actionOf),
  }
}

function branchOf({ seen, tokens, actions, ...branch }: Branch) {
  const { at: _at, ...newest } = seen[0] ?? { at: null, ...UNSEEN }
  return {
    ...branch,
    ...markOf(newest),
    seen: seen.map(({ at, ...mark }) => ({ at, ...markOf(mark) })),
    tokens: tokens.slice(0, MOST_TOKENS).map(tokenOf),
    tokenCount: tokens.length,
    actions: oldestFirst(actions).slice(0, MOST_ACTIONS).map(actionOf),
    actionCount: actions.length,
  }
}

const UNSEEN: Mark = { ipAddress: null, country: null, city: null, userAgent: null, device: null }

function tokenOf({ generation, issuedAt, usedAt, reusedAt, handedOutAgain, ...mark }: BranchToken) {
  return {
    ...{ generation, issuedAt, usedAt, reusedAt },
    ...markOf(mark),
    handedOutAgain: handedOutAgain.map(({ at, cause, ...again }) => ({ at, cause, ...markOf(again) })),
  }
}

function markOf({ ipAddress, country, city, userAgent, device }: Mark) {
  return { ipAddress, country, city, userAgent, device: describeDevice(userAgent), deviceId: device }
}

function oldestFirst(actions: readonly Action[]): readonly Action[] {
  return [...actions].sort((a, b) => a.row.createdAt.getTime() - b.row.createdAt.getTime())
}

function actionOf({ row, by }: Action) {
  return { ...eventOf(row), attributedBy: by }
}

function eventOf(row: AuditRow) {
  return {
    id: row.id,
    at: row.createdAt,
    action: row.action,
    outcome: row.outcome,
    failureReason: row.failureReason,
    userId: row.userId,
    actorName: row.actorName,
    sessionId: row.sessionId,
    resource: row.resource,
    resourceId: row.resourceId,
    metadata: row.metadata,
    ipAddress: row.ipAddress,
    country: row.country,
    city: row.city,
    userAgent: row.userAgent,
    correlationId: row.correlationId,
  }
}
