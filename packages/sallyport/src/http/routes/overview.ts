/**
 * The overview: what happened in the tenant, in figures.
 *
 * @module
 */

import { z } from 'zod'
import { securityOverview } from '../../overview/security-overview.ts'
import type { Route } from '../route.ts'
import { nameSchema } from '../published.ts'
import { instantText, timestamp } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'
import { incident } from './incidents.ts'

const at = { at: timestamp.describe('When the step begins.') }
const stepUps = { asked: z.int(), passed: z.int(), failed: z.int() }

const totals = nameSchema(
  'OverviewTotals',
  z.strictObject({
    signIns: z.int(),
    failed: z.int(),
    blocked: z.int(),
    refreshes: z.int(),
    reuse: z.int().describe('Thefts of refresh tokens, contained.'),
    stepUpsAsked: z.int(),
    stepUpsPassed: z.int(),
    stepUpsFailed: z.int(),
    refusals: z.int(),
  }),
)

const overview = nameSchema(
  'SecurityOverview',
  z.strictObject({
    from: timestamp.describe('The period that is counted: the one asked for, widened to whole steps.'),
    to: timestamp,
    step: z.int().describe('Seconds: an hour, or whole hours, days or weeks, so that there are 61 steps at most.'),
    live: z
      .strictObject({ sessions: z.int(), users: z.int(), impersonations: z.int() })
      .describe('Now, whatever the period; 100,000 at most.'),
    signIns: z
      .array(z.strictObject({ ...at, success: z.int(), failed: z.int(), stepUp: z.int(), blocked: z.int() }))
      .describe('By step. `stepUp`: held until a second factor was given; one that then was is in `success` too.'),
    refreshes: z
      .array(z.strictObject({ ...at, rotated: z.int(), replayed: z.int(), refused: z.int(), reused: z.int() }))
      .describe('By step. `replayed`: an honest retry; `reused`: a theft.'),
    sessions: z
      .array(z.strictObject({ ...at, opened: z.int(), active: z.int().nullable() }))
      .describe('By step. `active`: open at its end, or now; null where sessions of that age are no longer kept.'),
    stepUps: z.strictObject({
      ...stepUps,
      series: z.array(z.strictObject({ ...at, ...stepUps })),
      byFactor: z.array(z.strictObject({ factor: z.string(), passed: z.int(), failed: z.int() })),
    }),
    refusals: z
      .array(z.strictObject({ reason: z.string(), count: z.int() }))
      .describe(
        'Requests that were turned away, by code, most first; those that may go on after a step-up not among them.',
      ),
    risk: z
      .array(z.strictObject({ reason: z.string(), pass: z.int(), stepUp: z.int(), blocked: z.int() }))
      .describe('Scored requests by signal and by what was done: one that passed its step-up is in both.'),
    places: z
      .array(
        z.strictObject({
          country: z.string().nullable().describe('ISO 3166-1 alpha-2; null where the place is not known.'),
          city: z.string().nullable(),
          sessions: z.int(),
          users: z.int(),
          lastSeenAt: timestamp,
        }),
      )
      .describe('Where the sessions of the period were last seen, most first, 12 at most.'),
    devices: z
      .array(
        z.strictObject({
          browser: z.string().nullable(),
          os: z.string().nullable(),
          type: z.string(),
          sessions: z.int(),
        }),
      )
      .describe('What they were seen with, most first, 12 at most.'),
    totals,
    previous: totals.describe('The same of the period of equal length before.'),
    alerts: z.array(incident).describe('The newest 6 incidents, whenever they were.'),
  }),
)

export const overviewRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/overview',
    name: 'securityOverview',
    tag: 'Overview',
    summary: 'The figures of a period: sessions, sign-ins, refreshes, risk, step-ups, places, devices.',
    description:
      'Half-open, 400 days at most; without one, the last 7 days. Counted by the hour from the audit log as it is sealed, what waits included, so that it takes the same time at any size of the log; what retention removed stays counted.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    query: { from: instantText.optional(), to: instantText.optional() },
    responses: { 200: { description: 'The figures.', body: overview } },
    errors: ['INVALID_RANGE'],
    async handle({ guard: { engine }, caller, query }) {
      return { status: 200, body: await securityOverview(engine, caller, query) }
    },
  }),
]
