/**
 * From where a tenant may be reached.
 *
 * @module
 */

import { z } from 'zod'
import type { IpRuleId } from '../../ids.ts'
import { addIpRule, removeIpRule, updateIpRule } from '../../ip-rules/change.ts'
import { listIpRules } from '../../ip-rules/list.ts'
import { previewIpRule } from '../../ip-rules/preview.ts'
import { IP_RULE_TYPES } from '../../store/contract/access.ts'
import { IP_RULE_MODES } from '../../tenant-settings/read.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import { anyId, idOf, instant, opaque, text, timestamp } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const TAG = 'IP rules'
const type = z.enum(IP_RULE_TYPES)
const cidr = opaque(64, {
  description: 'A network, or an address for the network of it alone.',
  examples: ['192.0.2.0/24'],
})
const label = text(200, { examples: ['Head office'] })
const force = z.boolean().optional().describe('Do it even if it keeps you out.')

const rule = nameSchema(
  'IpRule',
  z.strictObject({
    id: anyId,
    type,
    cidr: z.string().describe('In the one form of each network.'),
    label: z.string().nullable(),
    createdBy: anyId.nullable(),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
  }),
)

const listedRule = nameSchema(
  'ListedIpRule',
  z.strictObject({ ...rule.shape, createdByName: z.string().nullable().describe('As they are called now.') }),
)

export const ipRuleRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/security/ip-rules',
    name: 'listIpRules',
    tag: TAG,
    summary: 'List the rules, oldest first.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: {
      200: {
        description: 'The rules, and whether they are enforced or only watched.',
        body: z.strictObject({ rules: z.array(listedRule), mode: z.enum(IP_RULE_MODES) }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      const { rules, mode } = await listIpRules(engine, caller)
      return { status: 200, body: { rules: [...rules], mode } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/ip-rules',
    name: 'addIpRule',
    tag: TAG,
    summary: 'Add a rule.',
    description:
      'A matching DENY refuses with `IP_BLOCKED`. Where there are ALLOW rules and none matches, `IP_NOT_ALLOWED`. It holds ' +
      'from the next request on, for everybody; sessions that it keeps out are not ended.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_EDIT',
    stepUp: 'ip_rule_change',
    audit: { action: 'IP_RULE_CREATED', resource: 'ip_rule' },
    body: { type, cidr, label: label.nullable().optional(), expiresAt: instant.nullable().optional(), force },
    responses: { 201: { description: 'It holds.', body: z.strictObject({ rule }) } },
    errors: ['WOULD_LOCK_OUT', 'CONFLICT', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, body, request }) {
      return { status: 201, body: { rule: await addIpRule(engine, caller, { ...body, request }) } }
    },
  }),

  apiRoute({
    method: 'PATCH',
    path: '/api/security/ip-rules/:ruleId',
    name: 'updateIpRule',
    tag: TAG,
    summary: 'Change a rule. What is left out stays.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_EDIT',
    stepUp: 'ip_rule_change',
    audit: { action: 'IP_RULE_UPDATED', resource: 'ip_rule', id: 'ruleId' },
    params: { ruleId: idOf<IpRuleId>() },
    body: {
      type: type.optional(),
      cidr: cidr.optional(),
      label: label.nullable().optional(),
      expiresAt: instant.nullable().optional(),
      force,
    },
    responses: { 200: { description: 'It holds as it is now.', body: z.strictObject({ rule }) } },
    errors: ['WOULD_LOCK_OUT', 'CONFLICT', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, params, body, request }) {
      return {
        status: 200,
        body: { rule: await updateIpRule(engine, caller, { id: params.ruleId, ...body, request }) },
      }
    },
  }),

  apiRoute({
    method: 'DELETE',
    path: '/api/security/ip-rules/:ruleId',
    name: 'removeIpRule',
    tag: TAG,
    summary: 'Remove a rule.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_EDIT',
    stepUp: 'ip_rule_change',
    audit: { action: 'IP_RULE_DELETED', resource: 'ip_rule', id: 'ruleId' },
    params: { ruleId: idOf<IpRuleId>() },
    body: { force },
    responses: { 200: { description: 'It is gone.', body: z.strictObject({ success: z.literal(true) }) } },
    errors: ['WOULD_LOCK_OUT', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, params, body, request }) {
      await removeIpRule(engine, caller, { id: params.ruleId, ...body, request })
      return { status: 200, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/ip-rules/preview',
    name: 'previewIpRule',
    tag: TAG,
    summary: 'See whom a change would cut off, and change nothing.',
    description: 'With the id of a rule and nothing else: what its removal would do.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_EDIT',
    body: {
      ruleId: idOf<IpRuleId>().optional(),
      type: type.optional(),
      cidr: cidr.optional(),
      label: label.nullable().optional(),
      expiresAt: instant.nullable().optional(),
    },
    responses: {
      200: {
        description: 'What it would do now.',
        body: z.strictObject({
          cidr: z.string().nullable().describe('The network as it would be kept; null where a rule would go.'),
          wouldLockOut: z.boolean(),
          cutOff: z.array(
            z.strictObject({
              sessionId: anyId,
              userId: anyId,
              userName: z.string(),
              ipAddress: z.string().nullable(),
              code: z.string(),
            }),
          ),
          looked: z.int().describe('How many live sessions were looked at, newest seen first.'),
        }),
      },
    },
    errors: ['NOT_FOUND'],
    async handle({ guard: { engine }, caller, body: { ruleId, ...rule }, request }) {
      const preview = await previewIpRule(engine, caller, { id: ruleId, ...rule, request })
      return { status: 200, body: { ...preview, cutOff: [...preview.cutOff] } }
    },
  }),
]
