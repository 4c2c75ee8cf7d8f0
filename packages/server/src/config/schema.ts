/**
 * What may stand in the configuration file, and how the environment variables are named that stand for the same.
 *
 * @module
 */

import { z } from 'zod'

const DURATION_RULE = 'must be a duration such as "10m" or "3d", or a number of milliseconds'
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const text = (rule: string, pattern: RegExp = /^.+$/) =>
  z.string({ error: rule }).regex(pattern, { error: rule }).optional()
const flag = z.boolean({ error: 'must be true or false' }).optional()
const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error }).optional()
}
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` }).optional()
const duration = z
  .union([z.number().positive(), z.string().regex(/^\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d)$/)], { error: DURATION_RULE })
  .optional()
const buildName = text('must be 1 to 256 printable characters without spaces', /^[\x21-\x7e]{1,256}$/)
const group = <T extends z.core.$ZodLooseShape>(shape: T) => z.strictObject(shape).optional()

const limits = group({ address: whole(0, 1_000_000), subject: whole(0, 1_000_000), both: whole(0, 1_000_000) })

/** The configuration file. What the engine takes stands under the engine's own names. */
export const settingsSchema = z.strictObject({
  databaseUrl: text(
    'must be a PostgreSQL address such as postgres://user:password@host:5432/name',
    /^postgres(?:ql)?:\/\/\S+$/,
  ),
  poolSize: whole(1, 1000),
  redisUrl: text('must be a Redis address such as rediss://user:password@host:6379', /^rediss?:\/\/\S+$/),
  dataDir: text('must be the path of a folder'),
  allowEmbedded: flag,
  issuer: text(
    'must be an absolute http or https URL without a trailing slash, such as https://app.example.com',
    /^https?:\/\/[^\s/?#]+(?:\/[^\s?#]*[^\s?#/])?$/,
  ),
  secrets: z
    .array(z.string(), { error: 'must be a list of secrets, newest first' })
    .min(1, { error: 'must hold at least one secret' })
    .optional(),
  smtpUrl: text('must be an SMTP address such as smtps://user:password@mail.example.com:465', /^smtps?:\/\/\S+$/),
  mailFrom: text(
    'must be the sender of mails, such as Example <security@example.com>',
    /^[^\r\n]*[^\s@<]+@[^\s@>]+>?$/,
  ),
  port: whole(0, 65_535),
  host: text('must be the address to listen on, such as 127.0.0.1 or ::', /^[A-Za-z0-9.:_-]+$/),
  logLevel: oneOf(LEVELS),
  console: flag,
  metricsPort: whole(0, 65_535),
  metricsToken: text('must be at least 16 characters', /^\S{16,}$/),
  audience: text('must not be empty'),
  basePath: text('must be a path such as /api, without a trailing slash', /^(?:\/[a-z0-9-]+)+$/),
  accessToken: group({ ttl: duration, alg: oneOf(['EdDSA', 'ES256']) }),
  refreshToken: group({ ttl: duration, maxSessionLife: duration }),
  session: group({ idle: duration }),
  retry: z
    .union([z.literal('strict'), z.strictObject({ overlap: duration, unboundWindow: duration })], {
      error: 'must be "strict", or { overlap, unboundWindow }, each a duration',
    })
    .optional(),
  reuse: group({ contain: oneOf(['family', 'staff', 'user']), revoked: oneOf(['refuse', 'contain']) }),
  consistency: oneOf(['live', 'strict']),
  maxStaleness: duration,
  signUp: group({ enabled: flag, verifyEmailFirst: flag }),
  trustedProxies: z
    .union([z.int().min(0).max(16), z.array(z.string())], {
      error: 'must be networks such as 10.0.0.0/8, or a number of proxies from 0 to 16',
    })
    .optional(),
  cookie: group({
    name: text('must not be empty'),
    domain: text('must be a domain'),
    conventionName: text('must not be empty'),
  }),
  impersonation: group({ readOnly: flag, life: duration }),
  permissions: z
    .record(z.string(), z.strictObject({ roles: z.array(z.enum(['owner', 'admin', 'auditor', 'member'])).optional() }))
    .optional(),
  stepUp: group({
    window: duration,
    emailCodes: flag,
    purposes: z.record(z.string(), z.strictObject({ window: duration, singleUse: flag })).optional(),
  }),
  retention: group({
    tokens: duration,
    reuse: duration,
    sessions: duration,
    challenges: duration,
    links: duration,
    changes: duration,
    auditLogs: duration,
  }),
  jobs: group({ schedule: flag }),
  build: group({ commit: buildName, image: buildName, environment: buildName }),
  audit: group({
    sealEvery: duration,
    checkpointEvery: duration,
    checkpointRows: whole(1, 1_000_000),
    witness: group({
      file: text('must be the path of a file'),
      url: text('must be an http or https URL', /^https?:\/\/\S+$/),
    }),
  }),
  mfa: group({ atSignIn: oneOf(['enrolled', 'risk', 'always']) }),
  preset: oneOf(['standard', 'nist-aal2', 'nist-aal3']),
  risk: group({
    mode: oneOf(['enforce', 'monitor', 'off']),
    weights: z.record(z.string(), z.int()).optional(),
    stepUpAt: whole(1, 101),
    blockAt: whole(1, 101),
    thresholds: group({
      manySessions: whole(1, 10_000),
      travelKmh: whole(1, 100_000),
      recentFailures: whole(1, 1000),
      sharedGenerations: whole(1, 1000),
      rapidSessions: whole(0, 10_000),
      rapidWindow: duration,
    }),
    graceAfterMfa: duration,
    blockEndsSessions: flag,
  }),
  geo: group({
    database: text('must be the path of an MMDB file'),
    headers: z
      .strictObject({
        country: z.string(),
        city: z.string().optional(),
        latitude: z.string().optional(),
        longitude: z.string().optional(),
      })
      .optional(),
  }),
  sessionLimit: group({ max: whole(1, 100_000), policy: oneOf(['step-up', 'evict-oldest', 'deny']) }),
  dpop: group({ nonce: flag, requireOnRequests: flag }),
  allowedOrigins: z
    .array(z.string(), { error: 'must be a list of origins such as https://app.example.com' })
    .optional(),
  rateLimits: z
    .union(
      [
        z.literal('off'),
        z.strictObject({
          store: oneOf(['database', 'memory']),
          signIn: limits,
          refresh: limits,
          stepUp: limits,
          reset: limits,
          emailCode: limits,
          signUp: limits,
        }),
      ],
      { error: 'must be "off", or limits by name, each { address, subject, both } in requests a minute' },
    )
    .optional(),
})

/** What the file and the environment say together. */
export type SettingsInput = z.output<typeof settingsSchema>

/** How the text of a variable becomes a value. Text that does not fit stays text, and the schema says what is wrong with it. */
export type VariableKind = 'text' | 'number' | 'boolean' | 'list'

/** One environment variable. */
export interface Variable {
  /** Where the same setting stands in the file. */
  readonly path: string
  readonly kind: VariableKind
}

/** Every environment variable that is read, besides NODE_ENV and SALLYPORT_CONFIG. */
export const VARIABLES: Readonly<Record<string, Variable>> = {
  DATABASE_URL: { path: 'databaseUrl', kind: 'text' },
  SALLYPORT_POOL_SIZE: { path: 'poolSize', kind: 'number' },
  REDIS_URL: { path: 'redisUrl', kind: 'text' },
  SALLYPORT_DATA_DIR: { path: 'dataDir', kind: 'text' },
  SALLYPORT_ALLOW_EMBEDDED: { path: 'allowEmbedded', kind: 'boolean' },
  SALLYPORT_ISSUER: { path: 'issuer', kind: 'text' },
  SALLYPORT_SECRETS: { path: 'secrets', kind: 'list' },
  SMTP_URL: { path: 'smtpUrl', kind: 'text' },
  MAIL_FROM: { path: 'mailFrom', kind: 'text' },
  PORT: { path: 'port', kind: 'number' },
  HOST: { path: 'host', kind: 'text' },
  LOG_LEVEL: { path: 'logLevel', kind: 'text' },
  SALLYPORT_CONSOLE: { path: 'console', kind: 'boolean' },
  SALLYPORT_METRICS_PORT: { path: 'metricsPort', kind: 'number' },
  SALLYPORT_METRICS_TOKEN: { path: 'metricsToken', kind: 'text' },
  SALLYPORT_AUDIENCE: { path: 'audience', kind: 'text' },
  SALLYPORT_BASE_PATH: { path: 'basePath', kind: 'text' },
  SALLYPORT_ACCESS_TOKEN_TTL: { path: 'accessToken.ttl', kind: 'text' },
  SALLYPORT_ACCESS_TOKEN_ALG: { path: 'accessToken.alg', kind: 'text' },
  SALLYPORT_REFRESH_TOKEN_TTL: { path: 'refreshToken.ttl', kind: 'text' },
  SALLYPORT_MAX_SESSION_LIFE: { path: 'refreshToken.maxSessionLife', kind: 'text' },
  SALLYPORT_SESSION_IDLE: { path: 'session.idle', kind: 'text' },
  SALLYPORT_RETRY: { path: 'retry', kind: 'text' },
  SALLYPORT_REUSE_CONTAIN: { path: 'reuse.contain', kind: 'text' },
  SALLYPORT_CONSISTENCY: { path: 'consistency', kind: 'text' },
  SALLYPORT_MAX_STALENESS: { path: 'maxStaleness', kind: 'text' },
  SALLYPORT_RETENTION_AUDIT_LOGS: { path: 'retention.auditLogs', kind: 'text' },
  SALLYPORT_BUILD_COMMIT: { path: 'build.commit', kind: 'text' },
  SALLYPORT_BUILD_IMAGE: { path: 'build.image', kind: 'text' },
  SALLYPORT_ENVIRONMENT: { path: 'build.environment', kind: 'text' },
  SALLYPORT_JOBS: { path: 'jobs.schedule', kind: 'boolean' },
  SALLYPORT_AUDIT_WITNESS_FILE: { path: 'audit.witness.file', kind: 'text' },
  SALLYPORT_AUDIT_WITNESS_URL: { path: 'audit.witness.url', kind: 'text' },
  SALLYPORT_SIGN_UP: { path: 'signUp.enabled', kind: 'boolean' },
  SALLYPORT_TRUSTED_PROXIES: { path: 'trustedProxies', kind: 'list' },
  SALLYPORT_COOKIE_DOMAIN: { path: 'cookie.domain', kind: 'text' },
  SALLYPORT_IMPERSONATION_READ_ONLY: { path: 'impersonation.readOnly', kind: 'boolean' },
  SALLYPORT_STEP_UP_WINDOW: { path: 'stepUp.window', kind: 'text' },
  SALLYPORT_PRESET: { path: 'preset', kind: 'text' },
  SALLYPORT_RISK_MODE: { path: 'risk.mode', kind: 'text' },
  GEOIP_DB: { path: 'geo.database', kind: 'text' },
  SALLYPORT_MFA_AT_SIGN_IN: { path: 'mfa.atSignIn', kind: 'text' },
  SALLYPORT_ALLOWED_ORIGINS: { path: 'allowedOrigins', kind: 'list' },
  SALLYPORT_RATE_LIMITS: { path: 'rateLimits', kind: 'text' },
}
