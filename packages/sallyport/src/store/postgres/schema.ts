/**
 * The tables, for Drizzle: what hosts join with, and what the store's own queries are typed by. The SQL migrations are
 * the truth; a test holds the two against each other.
 *
 * @module
 */

import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import type { Role } from '../../directory/roles.ts'
import type { RevokeReason } from '../contract/ended-sessions.ts'
import type { Change } from '../contract/feed.ts'
import type { WaitReason } from '../contract/risk.ts'

const bytea = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  // PGlite hands out Uint8Array, node-postgres Buffer.
  fromDriver: (value) => Buffer.from(value),
})

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

export const tenants = pgTable('tenants', {
  id: uuid('id').primaryKey(),
  externalId: text('external_id').unique(),
  slug: text('slug').notNull().unique(),
  name: text('name').notNull(),
  settings: jsonb('settings').$type<Record<string, unknown>>().notNull().default({}),
  disabledAt: instant('disabled_at'),
  createdAt: instant('created_at').notNull(),
})

export const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  externalId: text('external_id').unique(),
  email: text('email'),
  emailVerifiedAt: instant('email_verified_at'),
  passwordHash: text('password_hash'),
  name: text('name').notNull(),
  lastMfaAt: instant('last_mfa_at'),
  disabledAt: instant('disabled_at'),
  createdAt: instant('created_at').notNull(),
})

export const tenantStaff = pgTable('tenant_staff', {
  id: uuid('id').primaryKey(),
  externalId: text('external_id'),
  tenantId: uuid('tenant_id').notNull(),
  userId: uuid('user_id').notNull(),
  role: text('role').$type<Role>().notNull(),
  permissions: text('permissions').array().notNull().default(sql`'{}'`),
  sessionVersion: integer('session_version').notNull().default(1),
  status: text('status').$type<'active' | 'disabled' | 'removed'>().notNull().default('active'),
  createdAt: instant('created_at').notNull(),
})

export const userSessions = pgTable('user_sessions', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  userId: uuid('user_id').notNull(),
  staffId: uuid('staff_id').notNull(),
  kind: text('kind').$type<'login' | 'impersonation'>().notNull(),
  delivery: text('delivery').$type<'body' | 'cookie'>().notNull(),
  sessionVersion: integer('session_version').notNull(),
  createdAt: instant('created_at').notNull(),
  lastSeenAt: instant('last_seen_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  ipAddress: text('ip_address'),
  country: text('country'),
  city: text('city'),
  latitude: doublePrecision('latitude'),
  longitude: doublePrecision('longitude'),
  userAgent: text('user_agent'),
  deviceFingerprint: text('device_fingerprint'),
  deviceCookieHash: bytea('device_cookie_hash'),
  deviceInfo: jsonb('device_info').$type<unknown>(),
  amr: text('amr').array().notNull().default(sql`'{}'`),
  authTime: instant('auth_time').notNull(),
  stepUpRequiredAt: instant('step_up_required_at'),
  stepUpRisk: jsonb('step_up_risk').$type<WaitReason>(),
  revokedAt: instant('revoked_at'),
  revokeReason: text('revoke_reason').$type<RevokeReason>(),
  revokedBy: uuid('revoked_by'),
  realUserId: uuid('real_user_id'),
  realSessionId: uuid('real_session_id'),
  realStaffId: uuid('real_staff_id'),
  realSessionVersion: integer('real_session_version'),
  reason: text('reason'),
  metadata: jsonb('metadata').$type<unknown>(),
})

export const ipRules = pgTable('ip_rules', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  type: text('type').$type<'ALLOW' | 'DENY'>().notNull(),
  cidr: text('cidr').notNull(),
  label: text('label'),
  createdBy: uuid('created_by'),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at'),
})

export const tokenFamilies = pgTable('token_families', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  sessionId: uuid('session_id'),
  userId: uuid('user_id').notNull(),
  staffId: uuid('staff_id'),
  generation: integer('generation').notNull().default(0),
  binding: text('binding').$type<'key' | 'cookie' | 'none'>().notNull().default('none'),
  bindingValue: text('binding_value'),
  sessionStartedAt: instant('session_started_at').notNull(),
  revokedAt: instant('revoked_at'),
  revokeReason: text('revoke_reason').$type<RevokeReason>(),
  sharedGeneration: integer('shared_generation').notNull().default(-1),
  sharedRun: integer('shared_run').notNull().default(0),
})

export const refreshTokens = pgTable('refresh_tokens', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  userId: uuid('user_id').notNull(),
  staffId: uuid('staff_id'),
  sessionId: uuid('session_id'),
  tokenHash: bytea('token_hash').notNull(),
  familyId: uuid('family_id').notNull(),
  parentId: uuid('parent_id'),
  replacedByTokenId: uuid('replaced_by_token_id'),
  generation: integer('generation').notNull(),
  nonce: bytea('nonce'),
  secretId: text('secret_id').notNull(),
  usageCount: integer('usage_count').notNull().default(0),
  issuedAt: instant('issued_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  sessionStartedAt: instant('session_started_at').notNull(),
  consumedAt: instant('consumed_at'),
  confirmedAt: instant('confirmed_at'),
  isRevoked: boolean('is_revoked').notNull().default(false),
  revokedAt: instant('revoked_at'),
  revokeReason: text('revoke_reason').$type<RevokeReason>(),
  suspiciousReuseAt: instant('suspicious_reuse_at'),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  deviceFingerprint: text('device_fingerprint'),
  deviceInfo: jsonb('device_info').$type<unknown>(),
})

export const stepUpChallenges = pgTable('step_up_challenges', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  userId: uuid('user_id').notNull(),
  sessionId: uuid('session_id'),
  signInId: uuid('sign_in_id'),
  purpose: text('purpose').notNull(),
  factor: text('factor').notNull(),
  codeHash: bytea('code_hash'),
  webauthnChallenge: text('webauthn_challenge'),
  tries: integer('tries').notNull().default(0),
  createdAt: instant('created_at').notNull(),
  verifiedAt: instant('verified_at'),
  expiresAt: instant('expires_at').notNull(),
  consumedAt: instant('consumed_at'),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  presented: text('presented'),
  device: text('device'),
})

export const pendingSignIns = pgTable('pending_sign_ins', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  userId: uuid('user_id').notNull(),
  staffId: uuid('staff_id').notNull(),
  wish: jsonb('wish').$type<unknown>().notNull(),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  consumedAt: instant('consumed_at'),
})

export const trustedDevices = pgTable(
  'trusted_devices',
  {
    tenantId: uuid('tenant_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    deviceHash: text('device_hash').notNull(),
    trustedUntil: instant('trusted_until').notNull(),
    lastSeenAt: instant('last_seen_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.staffId, table.deviceHash] })],
)

export const dpopProofs = pgTable('dpop_proofs', {
  proofHash: bytea('proof_hash').primaryKey(),
  expiresAt: instant('expires_at').notNull(),
})

export const mfaFactors = pgTable('mfa_factors', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id').notNull(),
  type: text('type').$type<'totp' | 'passkey'>().notNull(),
  label: text('label').notNull(),
  secret: text('secret'),
  lastUsedStep: bigint('last_used_step', { mode: 'number' }),
  credentialId: text('credential_id').unique(),
  publicKey: bytea('public_key'),
  signCount: bigint('sign_count', { mode: 'number' }),
  transports: text('transports').array(),
  backedUp: boolean('backed_up'),
  createdAt: instant('created_at').notNull(),
  verifiedAt: instant('verified_at'),
  lastUsedAt: instant('last_used_at'),
  disabledAt: instant('disabled_at'),
})

export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    userId: uuid('user_id').notNull(),
    codeHash: bytea('code_hash').notNull(),
    createdAt: instant('created_at').notNull(),
    usedAt: instant('used_at'),
  },
  (table) => [primaryKey({ columns: [table.userId, table.codeHash] })],
)

export const guessBudgets = pgTable(
  'guess_budgets',
  {
    userId: uuid('user_id').notNull(),
    factor: text('factor').notNull(),
    failures: instant('failures').array().notNull().default(sql`'{}'`),
    consecutive: integer('consecutive').notNull().default(0),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.factor] })],
)

export const oneTimeTokens = pgTable('one_time_tokens', {
  id: uuid('id').primaryKey(),
  kind: text('kind').$type<'invitation' | 'password_reset' | 'email_verification' | 'email_change'>().notNull(),
  tokenHash: bytea('token_hash').notNull().unique(),
  tenantId: uuid('tenant_id'),
  userId: uuid('user_id'),
  email: text('email').notNull(),
  data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  usedAt: instant('used_at'),
})

export const changes = pgTable('changes', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  tenantId: uuid('tenant_id'),
  kind: text('kind').$type<Change['kind']>().notNull(),
  ref: text('ref').notNull(),
  at: instant('at').notNull().default(sql`clock_timestamp()`),
})

export const signingKeys = pgTable('signing_keys', {
  kid: text('kid').primaryKey(),
  alg: text('alg').$type<'EdDSA' | 'ES256'>().notNull(),
  publicJwk: jsonb('public_jwk').$type<Record<string, unknown>>().notNull(),
  privateKey: text('private_key'),
  state: text('state').$type<'next' | 'active' | 'retired' | 'revoked'>().notNull(),
  createdAt: instant('created_at').notNull(),
  activatedAt: instant('activated_at'),
  retiredAt: instant('retired_at'),
  revokedAt: instant('revoked_at'),
})

/** Counted by the rate limiter's own statements. */
export const rateLimits = pgTable('rate_limits', {
  key: varchar('key', { length: 255 }).primaryKey(),
  points: integer('points').notNull().default(0),
  expire: bigint('expire', { mode: 'number' }),
})

export const auditLogs = pgTable('audit_logs', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id'),
  createdAt: instant('created_at').notNull(),
  action: text('action').notNull(),
  outcome: text('outcome').$type<'SUCCESS' | 'FAIL'>().notNull(),
  failureReason: text('failure_reason'),
  userId: uuid('user_id'),
  actorName: text('actor_name'),
  staffId: uuid('staff_id'),
  sessionId: uuid('session_id'),
  realUserId: uuid('real_user_id'),
  isImpersonating: boolean('is_impersonating').notNull().default(false),
  resource: text('resource'),
  resourceId: text('resource_id'),
  oldValue: jsonb('old_value').$type<unknown>(),
  newValue: jsonb('new_value').$type<unknown>(),
  metadata: jsonb('metadata').$type<unknown>(),
  ipAddress: text('ip_address'),
  country: text('country'),
  city: text('city'),
  userAgent: text('user_agent'),
  correlationId: text('correlation_id').notNull(),
  salt: bytea('salt'),
  leafHash: bytea('leaf_hash').notNull(),
})

export const auditPending = pgTable('audit_pending', {
  id: uuid('id').primaryKey(),
  tenantId: uuid('tenant_id'),
  leafHash: bytea('leaf_hash').notNull(),
})

export const auditSeals = pgTable(
  'audit_seals',
  {
    tenantId: uuid('tenant_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    id: uuid('id').notNull(),
    leafHash: bytea('leaf_hash').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.seq] })],
)

export const auditHeads = pgTable('audit_heads', {
  tenantId: uuid('tenant_id').primaryKey(),
  size: bigint('size', { mode: 'number' }).notNull(),
  frontier: bytea('frontier').notNull(),
  recordedAt: instant('recorded_at').notNull(),
})

export const auditCheckpoints = pgTable(
  'audit_checkpoints',
  {
    tenantId: uuid('tenant_id').notNull(),
    size: bigint('size', { mode: 'number' }).notNull(),
    keyEpoch: integer('key_epoch').notNull(),
    note: text('note').notNull(),
    signedAt: instant('signed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.size, table.keyEpoch] })],
)

/** The log's own tree, sealer and keys: kept by statements of their own, and here so that a host's tools know every table. */
export const auditNodes = pgTable(
  'audit_nodes',
  {
    tenantId: uuid('tenant_id').notNull(),
    level: smallint('level').notNull(),
    index: bigint('index', { mode: 'number' }).notNull(),
    hash: bytea('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.level, table.index] })],
)

export const auditSigned = pgTable('audit_signed', {
  tenantId: uuid('tenant_id').primaryKey(),
  size: bigint('size', { mode: 'number' }).notNull(),
  frontier: bytea('frontier').notNull(),
  signedAt: instant('signed_at').notNull(),
})

export const auditLogKeys = pgTable(
  'audit_log_keys',
  {
    tenantId: uuid('tenant_id').notNull(),
    epoch: integer('epoch').notNull(),
    publicKey: bytea('public_key').notNull(),
    privateKey: text('private_key').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.epoch] })],
)

/** What the overview is drawn from. */
export const auditCounts = pgTable(
  'audit_counts',
  {
    tenantId: uuid('tenant_id').notNull(),
    hour: instant('hour').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome').notNull(),
    reason: text('reason').notNull(),
    detail: text('detail').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tenantId, table.hour, table.action, table.outcome, table.reason, table.detail],
    }),
  ],
)

export const riskCounts = pgTable(
  'risk_counts',
  {
    tenantId: uuid('tenant_id').notNull(),
    hour: instant('hour').notNull(),
    signal: text('signal').notNull(),
    decision: text('decision').$type<'pass' | 'step_up' | 'block'>().notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.hour, table.signal, table.decision] })],
)

export const auditSealer = pgTable('audit_sealer', {
  one: boolean('one').primaryKey().default(true),
  holder: text('holder').notNull(),
  until: timestamp('until', { withTimezone: true, mode: 'date' }).notNull(),
})

export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: uuid('holder').notNull(),
  until: timestamp('until', { withTimezone: true, mode: 'date' }).notNull(),
})

export const jobRuns = pgTable('job_runs', {
  id: uuid('id').primaryKey(),
  job: text('job').notNull(),
  startedAt: instant('started_at').notNull(),
  finishedAt: instant('finished_at'),
  state: text('state').$type<'running' | 'done' | 'failed'>().notNull(),
  result: jsonb('result').$type<Record<string, unknown>>().notNull().default({}),
  error: text('error'),
})
