/**
 * A tenant's own limits and switches.
 *
 * @module
 */

import { z } from 'zod'
import { changeSettings, showSettings } from '../../tenant-settings/change.ts'
import { IP_RULE_MODES } from '../../tenant-settings/read.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const TAG = 'Settings'
const mode = z.enum(IP_RULE_MODES).describe('`monitor` only records what the rules would have refused.')
const readOnly = z.boolean().describe('Refuses whatever changes something while somebody acts as another.')
const notify = z.boolean().describe('Tells people by mail that somebody acts as them.')
const emailCodes = z
  .boolean()
  .describe('Whether a code by mail is a fallback for those who have enrolled no second factor.')
const seconds = z.int().min(60).max(2_592_000)

const settings = nameSchema(
  'SecuritySettings',
  z.strictObject({
    session: z.strictObject({
      idle: z.int().nullable().describe('Seconds; null: as the service has it.'),
      maxLife: z.int().nullable().describe('Seconds; null: as the service has it.'),
    }),
    ipRules: z.strictObject({ mode }),
    impersonation: z.strictObject({ readOnly, notify }),
    stepUp: z.strictObject({ emailCodes }),
    effective: z
      .strictObject({ idle: z.int(), maxLife: z.int(), impersonationReadOnly: z.boolean(), emailCodes: z.boolean() })
      .describe("What holds, with the service's own limits."),
  }),
)

export const settingsRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/settings',
    name: 'showSettings',
    tag: TAG,
    summary: "The tenant's own limits and switches, and what holds.",
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: { 200: { description: 'The settings.', body: settings } },
    async handle({ guard: { engine }, caller }) {
      return { status: 200, body: await showSettings(engine, caller) }
    },
  }),

  apiRoute({
    method: 'PATCH',
    path: '/api/security/settings',
    name: 'changeSettings',
    tag: TAG,
    summary: 'Change limits and switches. What is left out stays.',
    description: 'They may only tighten what the service allows. Null takes a limit back to that of the service.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_EDIT',
    stepUp: 'security_settings',
    audit: { action: 'SETTINGS_UPDATED', resource: 'security' },
    body: {
      session: z
        .strictObject({ idle: seconds.nullable().optional(), maxLife: seconds.nullable().optional() })
        .optional(),
      ipRules: z.strictObject({ mode: mode.optional() }).optional(),
      impersonation: z.strictObject({ readOnly: readOnly.optional(), notify: notify.optional() }).optional(),
      stepUp: z.strictObject({ emailCodes: emailCodes.optional() }).optional(),
      force: z.boolean().optional().describe('Do it even if it keeps you out.'),
    },
    responses: { 200: { description: 'They hold from the next request on.', body: settings } },
    errors: ['WOULD_LOCK_OUT', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, body, request }) {
      return { status: 200, body: await changeSettings(engine, caller, { ...body, request }) }
    },
  }),
]
