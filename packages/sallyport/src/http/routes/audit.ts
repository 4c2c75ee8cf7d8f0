/**
 * The audit log: search it, and prove to an outsider that what is in it stays in it.
 *
 * @module
 */

import { z } from 'zod'
import { ACTIONS } from '../../audit/actions.ts'
import { logKey } from '../../audit/log-key.ts'
import { logOf } from '../../audit/log.ts'
import { latestCheckpoint, proveConsistency, proveEvent, proveInclusion } from '../../audit/prove.ts'
import type { FoundEvent } from '../../audit/query.ts'
import { findEvent, findEvents } from '../../audit/query.ts'
import { writeTlogProof } from '../../audit/verifying/tlog-proof.ts'
import type { AuditId, SessionId, UserId } from '../../ids.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import { anyId, cursor, idOf, instant, limit, opaque, queryInteger, text, timestamp } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const fields = z.record(z.string(), z.unknown()).nullable()

const event = nameSchema(
  'AuditEvent',
  z.strictObject({
    id: anyId,
    createdAt: timestamp,
    action: z.string(),
    outcome: z.enum(['SUCCESS', 'FAIL']),
    failureReason: z.string().nullable(),
    userId: anyId.nullable().describe('The actor; under impersonation the person acted as.'),
    actorName: z.string().nullable().describe('As it was then.'),
    staffId: anyId.nullable(),
    sessionId: anyId.nullable(),
    realUserId: anyId.nullable().describe('Under impersonation, the person acting.'),
    realUserName: z.string().nullable().describe('As they are called now.'),
    isImpersonating: z.boolean(),
    resource: z.string().nullable(),
    resourceId: z.string().nullable(),
    before: fields.describe('What changed, as it was.'),
    after: fields.describe('What changed, as it is.'),
    metadata: fields,
    ipAddress: z.string().nullable(),
    country: z.string().nullable(),
    city: z.string().nullable(),
    userAgent: z.string().nullable(),
    correlationId: z.string(),
    seal: z
      .strictObject({ seq: z.int(), recordedAt: timestamp })
      .nullable()
      .describe('Its place in the sealed log; null while it waits, a few seconds.'),
  }),
)

const hash = z.string().describe('32 bytes, base64.')
const whole = queryInteger({ min: 0, max: 1e14 })
const MAX_SIZE_RULE = 'A size of the log, as a checkpoint tells it.'

export const auditRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/audit/events',
    name: 'listAuditEvents',
    tag: 'Audit',
    summary: 'Search the audit log of the tenant, newest first.',
    description:
      'A page with few events, or none, can still have a nextCursor: the search looks at a bounded number of events at a time.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    query: {
      from: instant.optional(),
      to: instant.optional(),
      action: opaque(1000, { description: 'One action, or several with commas.', examples: ['AUTH_LOGIN'] }).optional(),
      userId: idOf<UserId>().optional(),
      outcome: z.enum(['SUCCESS', 'FAIL']).optional(),
      resource: opaque(100, { examples: ['session'] }).optional(),
      sessionId: idOf<SessionId>().optional(),
      correlationId: opaque(200, { description: 'Of one request.' }).optional(),
      q: text(100, {
        description: 'Text that stands somewhere in names, reasons, ids, addresses or places.',
        examples: ['192.0.2.7'],
      }).optional(),
      cursor: cursor.optional(),
      limit: limit.optional(),
    },
    responses: {
      200: {
        description: 'One page.',
        body: z.strictObject({ events: z.array(event), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ guard: { engine }, caller, query }) {
      const { action, q, ...rest } = query
      const page = await findEvents(engine, caller, { ...rest, actions: action?.split(','), text: q })
      return { status: 200, body: { events: page.events.map(described), nextCursor: page.nextCursor } }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/events/:id',
    name: 'getAuditEvent',
    tag: 'Audit',
    summary: 'One event of the audit log.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    params: { id: idOf<AuditId>() },
    responses: { 200: { description: 'The event.', body: z.strictObject({ event }) } },
    errors: ['NOT_FOUND'],
    async handle({ guard: { engine }, caller, params }) {
      return { status: 200, body: { event: described(await findEvent(engine, caller, params.id)) } }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/actions',
    name: 'listAuditActions',
    tag: 'Audit',
    summary: 'Every action that an event can have: what a filter can ask for.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: {
      200: {
        description: 'The built-in ones, then those of the host.',
        body: z.strictObject({ actions: z.array(z.strictObject({ name: z.string(), builtIn: z.boolean() })) }),
      },
    },
    async handle({ guard: { engine } }) {
      const own = Object.keys(engine.settings.audit.actions)
      const actions = [
        ...ACTIONS.map((name) => ({ name, builtIn: true })),
        ...own.map((name) => ({ name, builtIn: false })),
      ]
      return { status: 200, body: { actions } }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/checkpoint',
    name: 'getAuditCheckpoint',
    tag: 'Audit',
    summary: "The newest signed checkpoint of the tenant's audit log (C2SP tlog-checkpoint).",
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: { 200: { description: 'The signed note.', content: 'text/plain; charset=utf-8' } },
    errors: ['NOT_FOUND', 'CONFLICT'],
    async handle({ guard: { engine }, caller }) {
      const { note } = await latestCheckpoint(engine, logOf(caller.tenantId))
      return { status: 200, body: note }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/key',
    name: 'getAuditKey',
    tag: 'Audit',
    summary: "The public key that signs the tenant's audit log (C2SP verifier key), for auditors to keep.",
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: {
      200: { description: 'The key.', body: z.strictObject({ origin: z.string(), vkey: z.string() }) },
    },
    async handle({ guard: { engine }, caller }) {
      const { origin, vkey } = await logKey(engine, logOf(caller.tenantId))
      return { status: 200, body: { origin, vkey } }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/events/:id/proof',
    name: 'proveAuditEvent',
    tag: 'Audit',
    summary: 'Prove that an event is in the sealed log (RFC 9162 inclusion proof).',
    description:
      'An event that no checkpoint covers yet is sealed and signed first. With the event, tenantId and salt whoever asks can compute the leaf: SHA-256 over a zero byte and the canonical JSON of the stable columns, as docs/audit.md has it.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    params: { id: idOf<AuditId>() },
    responses: {
      200: {
        description: "The proof: the leaf's sibling first, upward.",
        body: z.strictObject({
          leafIndex: z.int(),
          treeSize: z.int(),
          hashes: z.array(hash),
          checkpoint: z.string().describe('The signed note whose root the proof leads to.'),
          tenantId: anyId,
          salt: z
            .string()
            .nullable()
            .describe(
              '16 bytes in hex, under which the personal columns are committed; null where the content was removed.',
            ),
        }),
      },
    },
    errors: ['NOT_FOUND', 'CONFLICT'],
    async handle({ guard: { engine }, caller: { tenantId }, params }) {
      const { hashes, salt, ...proof } = await proveEvent(engine, tenantId, params.id)
      return {
        status: 200,
        body: {
          ...proof,
          tenantId,
          salt: salt?.toString('hex') ?? null,
          hashes: hashes.map((one) => one.toString('base64')),
        },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/events/:id/proof.tlog-proof',
    name: 'downloadAuditProof',
    tag: 'Audit',
    summary: 'The same proof as a file for an auditor (C2SP tlog-proof).',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    params: { id: idOf<AuditId>() },
    responses: { 200: { description: 'The proof file.', content: 'text/plain; charset=utf-8' } },
    errors: ['NOT_FOUND', 'CONFLICT'],
    async handle({ guard: { engine }, caller, params }) {
      const proof = await proveInclusion(engine, logOf(caller.tenantId), params.id)
      return {
        status: 200,
        body: writeTlogProof(proof),
        headers: { 'content-disposition': `attachment; filename="${proof.leafIndex}.tlog-proof"` },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/audit/consistency',
    name: 'proveAuditConsistency',
    tag: 'Audit',
    summary: 'Prove that the log only grew from one size to another (RFC 9162 consistency proof).',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    query: { first: whole.describe(MAX_SIZE_RULE), second: whole.describe(MAX_SIZE_RULE) },
    responses: { 200: { description: 'The proof.', body: z.strictObject({ hashes: z.array(hash) }) } },
    async handle({ guard: { engine }, caller, query }) {
      const hashes = await proveConsistency(engine, logOf(caller.tenantId), query)
      return { status: 200, body: { hashes: hashes.map((one) => one.toString('base64')) } }
    },
  }),
]

function described({ row, seal, realUserName }: FoundEvent) {
  const { tenantId: _tenant, salt: _salt, leafHash: _hash, oldValue, newValue, metadata, ...rest } = row
  return {
    ...rest,
    realUserName,
    before: oldValue as Record<string, unknown> | null,
    after: newValue as Record<string, unknown> | null,
    metadata: metadata as Record<string, unknown> | null,
    seal,
  }
}
