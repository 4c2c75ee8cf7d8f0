/**
 * The team: who is in the tenant, and who is invited.
 *
 * @module
 */

import { z } from 'zod'
import { changeMember } from '../../directory/change-member.ts'
import { describeStaff } from '../../directory/describe.ts'
import { invite } from '../../directory/invite.ts'
import { removeMember } from '../../directory/remove-member.ts'
import type { StaffId } from '../../ids.ts'
import { describeInvitation, listTeam } from '../../directory/list-team.ts'
import { resendInvitation } from '../../directory/resend-invitation.ts'
import { PERMISSIONS, ROLES } from '../../directory/roles.ts'
import { withdrawInvitation } from '../../directory/withdraw-invitation.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import { anyId, email, idOf, name, opaque, timestamp, user } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const role = z.enum(ROLES)

const invitation = nameSchema(
  'Invitation',
  z.strictObject({
    id: anyId,
    email: z.string(),
    name: z.string(),
    role,
    createdAt: timestamp,
    expiresAt: timestamp,
  }),
)

const member = nameSchema(
  'TeamMember',
  z.strictObject({
    id: anyId.describe('The staff id: what changes to a member name.'),
    role,
    permissions: z.array(z.string()).describe('What the member may do, by role and by extra grants.'),
    extraPermissions: z.array(z.string()),
    status: z.enum(['active', 'disabled', 'removed']),
    createdAt: timestamp,
    user,
    lastSeenAt: timestamp.nullable().describe('Null for one who never signed in, or did long ago.'),
    liveSessions: z.int().describe('100 at most.'),
    factors: z.array(z.enum(['totp', 'passkey'])).describe('The kinds of second factor that they have.'),
  }),
)

export const teamRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/team',
    name: 'listTeam',
    tag: 'Team',
    summary: 'List the members of the tenant, and the invitations that are open.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_TEAM_VIEW',
    responses: {
      200: {
        description: 'The team, oldest member first.',
        body: z.strictObject({ members: z.array(member), invitations: z.array(invitation) }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      const { members, invitations } = await listTeam(engine, caller)
      return {
        status: 200,
        body: {
          members: members.map(({ permissions, extraPermissions, factors, ...rest }) => ({
            ...rest,
            permissions: [...permissions],
            extraPermissions: [...extraPermissions],
            factors: [...factors],
          })),
          invitations: [...invitations],
        },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/team/roles',
    name: 'listRoles',
    tag: 'Team',
    summary: 'The roles with what each may do, and every permission that can be granted.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_TEAM_VIEW',
    responses: {
      200: {
        description: 'The highest role first; the built-in permissions first, then those of the host.',
        body: z.strictObject({
          roles: z.array(z.strictObject({ name: role, permissions: z.array(z.string()) })),
          permissions: z.array(z.strictObject({ name: z.string(), builtIn: z.boolean() })),
        }),
      },
    },
    async handle({ guard: { engine } }) {
      const { permissions } = engine.settings
      return {
        status: 200,
        body: {
          roles: ROLES.map((one) => ({ name: one, permissions: [...permissions.ofRole(one)] })),
          permissions: permissions.names.map((one) => ({
            name: one,
            builtIn: (PERMISSIONS as readonly string[]).includes(one),
          })),
        },
      }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/team/invitations',
    name: 'inviteMember',
    tag: 'Team',
    summary: 'Invite a person to the tenant.',
    description: 'They get a link by mail that works once, for 7 days. An older invitation to the same address ends.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: { action: 'USER_INVITED', resource: 'user' },
    body: { email, name, role },
    responses: { 201: { description: 'The mail is on its way.', body: z.strictObject({ invitation }) } },
    errors: ['ALREADY_MEMBER', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, request, body }) {
      return {
        status: 201,
        body: { invitation: describeInvitation(await invite(engine, caller, { ...body, request })) },
      }
    },
  }),

  apiRoute({
    method: 'DELETE',
    path: '/api/team/invitations/:invitationId',
    name: 'withdrawInvitation',
    tag: 'Team',
    summary: 'Take an open invitation back: its link opens nothing any more.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: { action: 'INVITATION_REVOKED', resource: 'user', id: 'invitationId' },
    params: { invitationId: idOf<string>() },
    responses: { 200: { description: 'It is void.', body: z.strictObject({ success: z.literal(true) }) } },
    errors: ['NOT_FOUND'],
    async handle({ guard: { engine }, caller, params, request }) {
      await withdrawInvitation(engine, caller, { ...params, request })
      return { status: 200, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/team/invitations/:invitationId/resend',
    name: 'resendInvitation',
    tag: 'Team',
    summary: 'Send an open invitation again, for 7 more days.',
    description: 'With a new link and a new id: the one before is void.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: { action: 'USER_INVITED', resource: 'user', id: 'invitationId' },
    params: { invitationId: idOf<string>() },
    responses: { 201: { description: 'The mail is on its way.', body: z.strictObject({ invitation }) } },
    errors: ['NOT_FOUND', 'ALREADY_MEMBER', 'FORBIDDEN'],
    async handle({ guard: { engine }, caller, params, request }) {
      const sent = await resendInvitation(engine, caller, { ...params, request })
      return { status: 201, body: { invitation: describeInvitation(sent) } }
    },
  }),

  apiRoute({
    method: 'PATCH',
    path: '/api/team/:staffId',
    name: 'changeMember',
    tag: 'Team',
    summary: "Change a member's role or extra permissions, disable or enable them.",
    description:
      'What is left out stays. Roles and permissions bite at the next request and sign nobody out; disabling ends everything ' +
      'that the member has open. Nobody changes their own role or grants what they do not hold, only an owner makes or ' +
      'unmakes an owner, and the last owner stays.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: {
      action: ['USER_ROLE_UPDATED', 'USER_PERMISSIONS_UPDATED', 'USER_DISABLED', 'USER_ENABLED'],
      resource: 'tenant_staff',
      id: 'staffId',
    },
    params: { staffId: idOf<StaffId>() },
    body: {
      role: role.optional(),
      permissions: z
        .array(opaque(64))
        .max(200)
        .optional()
        .describe('The extra permissions, all of them: those left out are taken away.'),
      disabled: z.boolean().optional(),
    },
    responses: {
      200: {
        description: 'The member as they are now.',
        body: z.strictObject({
          member: z.strictObject({
            id: anyId,
            role,
            permissions: z.array(z.string()),
            extraPermissions: z.array(z.string()),
            status: z.enum(['active', 'disabled', 'removed']),
          }),
        }),
      },
    },
    errors: ['LAST_OWNER', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, params, body, request }) {
      const { staff } = await changeMember(engine, caller, { ...params, ...body, request })
      const { permissions, ...rest } = describeStaff(staff, engine.settings.permissions)
      return {
        status: 200,
        body: {
          member: {
            ...rest,
            permissions: [...permissions],
            extraPermissions: [...staff.permissions],
            status: staff.status,
          },
        },
      }
    },
  }),

  apiRoute({
    method: 'DELETE',
    path: '/api/team/:staffId',
    name: 'removeMember',
    tag: 'Team',
    summary: 'Remove a member from the tenant.',
    description: 'Ends everything that they have open in it. An invitation brings them back.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_TEAM_EDIT',
    stepUp: 'team_change',
    audit: { action: 'USER_REMOVED', resource: 'tenant_staff', id: 'staffId' },
    params: { staffId: idOf<StaffId>() },
    responses: { 200: { description: 'They are out.', body: z.strictObject({ success: z.literal(true) }) } },
    errors: ['LAST_OWNER', 'NOT_FOUND'],
    async handle({ guard: { engine }, caller, params, request }) {
      await removeMember(engine, caller, { ...params, request })
      return { status: 200, body: { success: true } }
    },
  }),
]
