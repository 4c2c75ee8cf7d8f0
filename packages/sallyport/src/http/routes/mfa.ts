/**
 * Second factors: see what is enrolled, enrol an authenticator app, remove a factor, replace the recovery codes.
 *
 * @module
 */

import { z } from 'zod'
import type { FactorId, StaffId } from '../../ids.ts'
import { beginPasskey } from '../../step-up/begin-passkey.ts'
import { beginTotp } from '../../step-up/begin-totp.ts'
import { confirmTotp } from '../../step-up/confirm-totp.ts'
import { enrolPasskey } from '../../step-up/enrol-passkey.ts'
import { factorsOf } from '../../step-up/factors-of.ts'
import { regenerateRecoveryCodes } from '../../step-up/regenerate-recovery-codes.ts'
import { removeFactor } from '../../step-up/remove-factor.ts'
import { resetFactors } from '../../step-up/reset-factors.ts'
import { FACTOR_TYPES } from '../../store/contract/step-up.ts'
import type { Route } from '../route.ts'
import { anyId, code, idOf, password, text, timestamp } from '../schemas.ts'
import { creationOptions, registration } from '../webauthn-schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const recoveryCodes = z.array(z.string()).describe('Each good for one use. Shown now and never again.')

export const mfaRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/mfa',
    name: 'listFactors',
    tag: 'Second factors',
    summary: 'List your second factors.',
    auth: 'session',
    mutates: false,
    responses: {
      200: {
        description: 'What is enrolled. Nothing secret is in it.',
        body: z.strictObject({
          factors: z.array(
            z.strictObject({
              id: anyId,
              type: z.enum(FACTOR_TYPES),
              label: z.string(),
              createdAt: timestamp,
              verifiedAt: timestamp,
              lastUsedAt: timestamp.nullable(),
              disabledAt: timestamp.nullable().describe('Set when it was guessed at too often: it opens nothing.'),
            }),
          ),
          recoveryCodesLeft: z.int().describe('How many recovery codes are unused.'),
          usable: z
            .array(z.enum(FACTOR_TYPES))
            .describe(
              'What of it a step-up can be passed with now. Codes by mail are enrolled by nobody: a 428 names them where they will do.',
            ),
        }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      const { enrolled, recoveryCodes: codes, usable } = await factorsOf(engine, caller.userId)
      return { status: 200, body: { factors: [...enrolled], recoveryCodesLeft: codes.left, usable: [...usable] } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/mfa/totp',
    name: 'beginTotp',
    tag: 'Second factors',
    summary: 'Begin to enrol an authenticator app.',
    description:
      'A first factor needs a sign-in of the last 10 minutes or the password; a further one needs the step-up security_settings. It counts from its confirmation on, and the next one that is begun takes its place.',
    auth: 'session',
    whileImpersonating: 'refused',
    mutates: true,
    permission: null,
    // Asked for by the operation, and only where a factor is there to pass it with.
    stepUp: null,
    audit: { action: 'MFA_ENROLLED', resource: 'mfa_factor' },
    body: { password: password.optional() },
    responses: {
      200: {
        description: 'What the app is to be given. Shown now and never again.',
        body: z.strictObject({
          factorId: anyId,
          secret: z.string().describe('In base32, for typing.'),
          otpauthUrl: z.string(),
          qrSvg: z.string().describe('The otpauthUrl as a QR code: an svg element.'),
        }),
      },
    },
    errors: ['ALREADY_ENROLLED', 'INVALID_CREDENTIALS', 'RATE_LIMITED', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, body, request }) {
      return { status: 200, body: await beginTotp(engine, caller, { ...body, request }) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/mfa/totp/confirm',
    name: 'confirmTotp',
    tag: 'Second factors',
    summary: 'Confirm an authenticator app by a code of it.',
    description: 'The code is spent by this: a step-up needs the next one. Wrong codes count as those of step-ups do.',
    auth: 'session',
    whileImpersonating: 'refused',
    mutates: true,
    permission: null,
    // That it may be enrolled was judged when it was begun.
    stepUp: null,
    audit: { action: 'MFA_ENROLLED', resource: 'mfa_factor' },
    body: { factorId: idOf<FactorId>(), code },
    responses: {
      200: { description: 'The app is a second factor now.', body: z.strictObject({ recoveryCodes }) },
    },
    errors: ['INVALID_OTP', 'RATE_LIMITED', 'ALREADY_ENROLLED', 'NOT_FOUND', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, body, request }) {
      const codes = await confirmTotp(engine, caller, { ...body, request })
      return { status: 200, body: { recoveryCodes: [...codes] } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/mfa/passkeys/options',
    name: 'beginPasskey',
    tag: 'Second factors',
    summary: 'Begin to enrol a passkey.',
    description:
      'A first factor needs a sign-in of the last 10 minutes or the password; a further one needs the step-up security_settings. Good for 5 minutes and one answer.',
    auth: 'session',
    whileImpersonating: 'refused',
    mutates: true,
    permission: null,
    // Asked for by the operation, and only where a factor is there to pass it with.
    stepUp: null,
    audit: { action: 'MFA_ENROLLED', resource: 'mfa_factor' },
    body: { password: password.optional() },
    responses: { 200: { description: 'For navigator.credentials.create().', body: creationOptions } },
    errors: ['CONFLICT', 'INVALID_CREDENTIALS', 'RATE_LIMITED', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, body, request }) {
      const options = await beginPasskey(engine, caller, { ...body, request })
      return { status: 200, body: { ...options } as z.input<typeof creationOptions> }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/mfa/passkeys',
    name: 'enrolPasskey',
    tag: 'Second factors',
    summary: 'Enrol the passkey that the browser made.',
    auth: 'session',
    whileImpersonating: 'refused',
    mutates: true,
    permission: null,
    // That it may be enrolled was judged when it was begun.
    stepUp: null,
    audit: { action: 'MFA_ENROLLED', resource: 'mfa_factor' },
    body: {
      response: registration,
      label: text(100, { description: 'As you tell it from others.', examples: ['Phone'] }).optional(),
    },
    responses: {
      200: {
        description: 'The passkey is a second factor now.',
        body: z.strictObject({
          factorId: anyId,
          recoveryCodes: recoveryCodes.describe('New ones, where there were none. Shown now and never again.'),
        }),
      },
    },
    errors: ['ALREADY_ENROLLED', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, body, request }) {
      const { factorId, recoveryCodes: codes } = await enrolPasskey(engine, caller, { ...body, request })
      return { status: 200, body: { factorId, recoveryCodes: [...codes] } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/team/:staffId/reset-factors',
    name: 'resetFactors',
    tag: 'Second factors',
    summary: 'Remove all second factors of a member who has lost them.',
    description:
      'Ends their sessions, and tells them. Until they enrol again, the password alone signs them in. Not for those who are members of another tenant too.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: { action: 'MFA_DISABLED', resource: 'tenant_staff', id: 'staffId' },
    params: { staffId: idOf<StaffId>() },
    responses: {
      200: {
        description: 'The member has no factor any more.',
        body: z.strictObject({ success: z.literal(true), factorsRemoved: z.int(), sessionsEnded: z.int() }),
      },
    },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT'],
    async handle({ guard: { engine }, caller, params, request }) {
      const done = await resetFactors(engine, caller, { staffId: params.staffId, request })
      return { status: 200, body: { success: true, ...done } }
    },
  }),

  apiRoute({
    method: 'DELETE',
    path: '/api/security/mfa/factors/:id',
    name: 'removeFactor',
    tag: 'Second factors',
    summary: 'Remove a second factor, and end your other sessions in every tenant.',
    auth: 'session',
    mutates: true,
    permission: null,
    stepUp: 'security_settings',
    audit: { action: 'MFA_DISABLED', resource: 'mfa_factor', id: 'id' },
    params: { id: idOf<FactorId>() },
    responses: {
      200: {
        description: 'The factor is gone; the recovery codes too, if it was the last.',
        body: z.strictObject({ success: z.literal(true), sessionsEnded: z.int() }),
      },
    },
    errors: ['NOT_FOUND', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, params, request }) {
      const { sessionsEnded } = await removeFactor(engine, caller, { factorId: params.id, request })
      return { status: 200, body: { success: true, sessionsEnded } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/mfa/recovery-codes',
    name: 'regenerateRecoveryCodes',
    tag: 'Second factors',
    summary: 'Replace your recovery codes.',
    auth: 'session',
    mutates: true,
    permission: null,
    stepUp: 'security_settings',
    audit: { action: 'RECOVERY_CODES_REGENERATED', resource: 'recovery_codes' },
    responses: {
      200: { description: 'The codes from before no longer work.', body: z.strictObject({ recoveryCodes }) },
    },
    errors: ['NO_FACTOR', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, request }) {
      return { status: 200, body: { recoveryCodes: [...(await regenerateRecoveryCodes(engine, caller, { request }))] } }
    },
  }),
]
