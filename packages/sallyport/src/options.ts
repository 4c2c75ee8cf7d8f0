/**
 * The options of an instance: read once, checked completely, with every default in one place.
 *
 * @module
 */

import { SallyportError } from './errors.ts'
import type { IpMatcher } from './ip-rules/matcher.ts'
import { compileRules } from './ip-rules/matcher.ts'
import { parseCidr } from './ip-rules/parse.ts'
import type { Duration } from './internal/duration.ts'
import { toMs } from './internal/duration.ts'
import type { Logger } from './internal/logger.ts'
import type { HostActions } from './audit/define-actions.ts'
import type { WitnessOptions } from './audit/witness.ts'
import type { Mailer } from './directory/mailer.ts'
import type { PermissionRegistry, PermissionRule } from './directory/permissions.ts'
import { permissionRegistry } from './directory/permissions.ts'
import type { RateLimitOptions, RateLimitSettings } from './rate-limits/rules.ts'
import { resolveRateLimits } from './rate-limits/rules.ts'
import type { Preset } from './risk/presets.ts'
import { PRESETS } from './risk/presets.ts'
import type { GeoOptions, RiskOptions, RiskSettings, SessionLimitPolicy } from './risk/settings.ts'
import { resolveRisk } from './risk/settings.ts'
import type { PurposeRegistry, PurposeRule } from './step-up/purposes.ts'
import { purposeRegistry } from './step-up/purposes.ts'
import type { Store } from './store/contract/store.ts'

/** What `sallyport()` takes. Durations are strings (`"10m"`) or milliseconds. */
export interface SallyportOptions<HostPermission extends string = string, HostPurpose extends string = string> {
  /** Where everything is kept: `postgres(…)` or `pglite(…)`. */
  readonly store: Store
  /** The `iss` of access tokens, and the base of links in mails: an absolute URL without a trailing slash. */
  readonly issuer: string
  /** The `aud` of access tokens. Defaults to the issuer. */
  readonly audience?: string | undefined
  /** Server secrets, newest first: base64url of 32 random bytes or more each. `accept:` before one accepts it without signing by it. */
  readonly secrets: readonly string[]
  /** Where the API is mounted. Defaults to `/api`. */
  readonly basePath?: string | undefined
  readonly accessToken?:
    | {
        /** Defaults to 10 minutes; 1 hour at most. */
        readonly ttl?: Duration | undefined
        /** Defaults to `EdDSA`. */
        readonly alg?: 'EdDSA' | 'ES256' | undefined
      }
    | undefined
  readonly refreshToken?:
    | {
        /** How long an unused refresh token lives: the inactivity limit. Defaults to 3 days. */
        readonly ttl?: Duration | undefined
        /** How long a chain of refreshes may go on before the person signs in again. Defaults to 30 days, which is also the most. */
        readonly maxSessionLife?: Duration | undefined
      }
    | undefined
  readonly session?:
    | {
        /** How long a session may go without a request or a refresh. Defaults to the refresh token's life. */
        readonly idle?: Duration | undefined
      }
    | undefined
  readonly impersonation?:
    | {
        /** Refuses every request that changes something while somebody acts as another. A tenant may tighten it. Defaults to false. */
        readonly readOnly?: boolean | undefined
        /** How long one lasts at most. Defaults to 30 minutes, which is also the most. */
        readonly life?: Duration | undefined
      }
    | undefined
  /** The origins of the pages that may call with cookies and read answers, beside the issuer's own: `https://app.example.com`. Defaults to none. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** The proxies whose `Forwarded` and `X-Forwarded-For` are believed: networks, or how many there are. Defaults to none. */
  readonly trustedProxies?: readonly string[] | number | undefined
  readonly cookie?:
    | {
        /** Defaults to `sallyport-session`; the prefix that browsers hold to is put before it. */
        readonly name?: string | undefined
        /** Shares the cookie with the subdomains of this domain. Defaults to the one host alone. */
        readonly domain?: string | undefined
        /** The name that the convention endpoints read beside it. Defaults to `session`. */
        readonly conventionName?: string | undefined
      }
    | undefined
  /** `"strict"`: any second use of a refresh token is reuse. Else the windows of the retry rule. */
  readonly retry?:
    | 'strict'
    | {
        /** How long a racing tab may come late. Defaults to 10 seconds. */
        readonly overlap?: Duration | undefined
        /** How long a lost response may be asked for again where the family is bound to nothing. Defaults to 30 seconds. */
        readonly unboundWindow?: Duration | undefined
      }
    | undefined
  readonly reuse?:
    | {
        /** How far the containment of a theft reaches. Defaults to `staff`. */
        readonly contain?: 'family' | 'staff' | 'user' | undefined
        /** What a token that was revoked alone means when it comes back. Defaults to `refuse`. */
        readonly revoked?: 'refuse' | 'contain' | undefined
      }
    | undefined
  /** `"strict"` asks the database at every check. Defaults to `live`: the view that the change feed keeps true. */
  readonly consistency?: 'live' | 'strict' | undefined
  /** How old the last good poll of the change feed may be before every check asks the database. Defaults to 5 seconds. */
  readonly maxStaleness?: Duration | undefined
  readonly signUp?:
    | {
        /** Defaults to true. */
        readonly enabled?: boolean | undefined
        /** Every sign-up answers 202 and goes on by mail, so that no answer tells a known address. Defaults to false. */
        readonly verifyEmailFirst?: boolean | undefined
      }
    | undefined
  readonly stepUp?:
    | {
        /** How long a passed step-up opens its purpose. Defaults to 10 minutes; 1 hour at most. */
        readonly window?: Duration | undefined
        /** The host's own purposes, by name in snake case, beside the built-in ones. */
        readonly purposes?: Readonly<Record<HostPurpose, PurposeRule>> | undefined
        /** Whether a code by mail is a fallback for those who have enrolled nothing. A tenant can switch it off for itself. Defaults to true. */
        readonly emailCodes?: boolean | undefined
      }
    | undefined
  readonly audit?:
    | {
        /** How often audit rows are moved into the tamper-evident log. Defaults to 2 seconds. */
        readonly sealEvery?: Duration | undefined
        /** How old an unsigned row may grow before the log is signed. Defaults to 1 minute. */
        readonly checkpointEvery?: Duration | undefined
        /** How many unsigned rows bring the signature forward. Defaults to 1,000. */
        readonly checkpointRows?: number | undefined
        /** Where checkpoints go that nobody with the database alone can take back. Defaults to nowhere. */
        readonly witness?: WitnessOptions | undefined
        /** The host's own actions, from `defineActions`. */
        readonly actions?: HostActions | undefined
      }
    | undefined
  /** How long what has ended is kept. Each batch that is removed leaves an `EVIDENCE_PURGED` row. */
  readonly retention?:
    | {
        /** Ended families of refresh tokens. Defaults to 30 days, which is also the least. */
        readonly tokens?: Duration | undefined
        /** Families that ended by reuse. Defaults to 90 days, which is also the least. */
        readonly reuse?: Duration | undefined
        /** Ended sessions. Defaults to 90 days; 30 days or more. */
        readonly sessions?: Duration | undefined
        /** Step-up challenges, from the end of their life. Defaults to 90 days; a day or more. */
        readonly challenges?: Duration | undefined
        /** Links of invitations, resets and confirmations, from the end of their life. Defaults to 30 days; a day or more. */
        readonly links?: Duration | undefined
        /** The change feed. Defaults to 1 day; an hour or more. */
        readonly changes?: Duration | undefined
        /** The content of audit rows: 400 days or more. Defaults to for ever. */
        readonly auditLogs?: Duration | undefined
      }
    | undefined
  readonly jobs?:
    | {
        /** Whether this instance starts jobs when they are due. Defaults to true. */
        readonly schedule?: boolean | undefined
      }
    | undefined
  /** What is running, as the manifest of an evidence bundle names it. Defaults to unknown. */
  readonly build?:
    | {
        /** The commit that it was built from. */
        readonly commit?: string | undefined
        /** The digest of the image that it runs in. */
        readonly image?: string | undefined
        /** Where it runs, such as `production`. */
        readonly environment?: string | undefined
      }
    | undefined
  /** The host's own permissions, by name in upper snake case, beside the built-in ones. */
  readonly permissions?: Readonly<Record<HostPermission, PermissionRule>> | undefined
  readonly mfa?:
    | {
        /**
         * When a sign-in is held until a second factor was given: `enrolled`, where one is enrolled and the device is not trusted;
         * `risk`, where the risk score asks for it; `always`. The risk score asks in every mode. Defaults to `enrolled`.
         */
        readonly atSignIn?: 'enrolled' | 'risk' | 'always' | undefined
      }
    | undefined
  /**
   * Limits of time that belong together: `standard`, `nist-aal2` (24 hours, 1 hour unused), `nist-aal3` (12 hours, 15 minutes).
   * Weaker values beside a preset are refused. Under the NIST presets a refresh is no activity. Defaults to `standard`.
   */
  readonly preset?: Preset | undefined
  /** How sign-ins and refreshes are scored, and what is done with the score. */
  readonly risk?: RiskOptions | undefined
  /** Where places come from. Defaults to nowhere: the signals about places are silent. */
  readonly geo?: GeoOptions | undefined
  readonly sessionLimit?:
    | {
        /** How many live sessions a member may have in a tenant. Defaults to no limit. */
        readonly max?: number | undefined
        /** What a sign-in beyond it meets. Defaults to `step-up`. */
        readonly policy?: SessionLimitPolicy | undefined
      }
    | undefined
  readonly dpop?:
    | {
        /** Asks for a nonce of the server in each proof of a key. Defaults to false: each proof is good once on all nodes anyway. */
        readonly nonce?: boolean | undefined
        /**
         * Whether an access token of a session that is bound to a key is good only beside a proof by that key at each request, under
         * the `DPoP` scheme (RFC 9449 section 7). Defaults to false: the proof is then asked for at refresh, and looked at where
         * it comes. Each proof costs a write.
         */
        readonly requireOnRequests?: boolean | undefined
      }
    | undefined
  /** `"off"` (never in production), or limits that differ from the defaults, in requests a minute; 0 turns one off. */
  readonly rateLimits?: RateLimitOptions | undefined
  /** Sends mail. Defaults to none: mails are then only told to the log by kind. */
  readonly mailer?: Mailer | undefined
  readonly log?: Logger | undefined
}

/** The options with every default filled in and every duration in milliseconds. */
export interface Settings {
  readonly issuer: string
  readonly audience: string
  readonly basePath: string
  readonly accessTtlMs: number
  readonly accessAlg: 'EdDSA' | 'ES256'
  readonly refreshTtlMs: number
  readonly maxSessionLifeMs: number
  readonly idleMs: number
  readonly impersonationReadOnly: boolean
  readonly impersonationLifeMs: number
  readonly trustedProxies: TrustedProxies
  readonly cookie: CookieSettings
  readonly retry: { readonly mode: 'strict' | 'retry'; readonly overlapMs: number; readonly unboundWindowMs: number }
  readonly reuse: { readonly contain: 'family' | 'staff' | 'user'; readonly revoked: 'refuse' | 'contain' }
  readonly consistency: 'live' | 'strict'
  readonly maxStalenessMs: number
  readonly signUp: { readonly enabled: boolean; readonly verifyEmailFirst: boolean }
  readonly stepUpWindowMs: number
  readonly stepUpPurposes: PurposeRegistry
  readonly audit: {
    readonly sealEveryMs: number
    readonly checkpointEveryMs: number
    readonly checkpointRows: number
    readonly witness: WitnessOptions
    readonly actions: HostActions
  }
  readonly retention: {
    readonly tokensMs: number
    readonly reuseMs: number
    readonly sessionsMs: number
    readonly challengesMs: number
    readonly linksMs: number
    readonly changesMs: number
    /** `undefined`: for ever. */
    readonly auditLogsMs: number | undefined
  }
  readonly jobs: { readonly schedule: boolean }
  readonly build: { readonly commit: string | null; readonly image: string | null; readonly environment: string | null }
  readonly permissions: PermissionRegistry
  readonly emailCodes: boolean
  readonly mfaAtSignIn: 'enrolled' | 'risk' | 'always'
  readonly allowedOrigins: readonly string[]
  readonly rateLimits: RateLimitSettings | 'off'
  readonly preset: Preset
  readonly risk: RiskSettings
  readonly geo: GeoOptions
  readonly sessionLimit: { readonly max: number | undefined; readonly policy: SessionLimitPolicy }
  readonly dpop: { readonly nonce: boolean; readonly requireOnRequests: boolean }
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

// An option without a line here does not compile: it would be refused as unknown.
const KNOWN: Readonly<Record<keyof SallyportOptions, readonly string[] | 'value'>> = {
  store: 'value',
  issuer: 'value',
  audience: 'value',
  secrets: 'value',
  basePath: 'value',
  accessToken: ['ttl', 'alg'],
  refreshToken: ['ttl', 'maxSessionLife'],
  session: ['idle'],
  impersonation: ['readOnly', 'life'],
  allowedOrigins: 'value',
  trustedProxies: 'value',
  cookie: ['name', 'domain', 'conventionName'],
  retry: ['overlap', 'unboundWindow'],
  reuse: ['contain', 'revoked'],
  consistency: 'value',
  maxStaleness: 'value',
  signUp: ['enabled', 'verifyEmailFirst'],
  audit: ['sealEvery', 'checkpointEvery', 'checkpointRows', 'witness', 'actions'],
  retention: ['tokens', 'reuse', 'sessions', 'challenges', 'links', 'changes', 'auditLogs'],
  jobs: ['schedule'],
  build: ['commit', 'image', 'environment'],
  stepUp: ['window', 'purposes', 'emailCodes'],
  permissions: 'value',
  mfa: ['atSignIn'],
  preset: 'value',
  risk: ['mode', 'weights', 'stepUpAt', 'blockAt', 'thresholds', 'graceAfterMfa', 'blockEndsSessions', 'signals'],
  geo: ['headers', 'lookup', 'database'],
  sessionLimit: ['max', 'policy'],
  dpop: ['nonce', 'requireOnRequests'],
  rateLimits: 'value',
  mailer: 'value',
  log: 'value',
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws SallyportError `CONFIG_INVALID` naming the option, what was wrong and what is allowed.
 */
export function resolveOptions(options: SallyportOptions): Settings {
  refuseUnknown(options)
  const production = process.env['NODE_ENV'] === 'production'
  const issuer = issuerOf(options.issuer, production)
  const preset = oneOf('preset', options.preset ?? 'standard', Object.keys(PRESETS) as Preset[])
  const limits = PRESETS[preset]
  const [mostLifeMs, mostUnusedMs] = [toMs(limits.maxSessionLife) as number, toMs(limits.inactivity) as number]
  // Beyond the standard's own defaults a host may go; beyond a NIST preset's it may not.
  const mostTtlMs = preset === 'standard' ? 30 * DAY : mostUnusedMs
  const refreshTtlMs = duration('refreshToken.ttl', options.refreshToken?.ttl, mostUnusedMs, 1000, mostTtlMs)
  const retry = options.retry === 'strict' ? undefined : options.retry
  const stepUpWindowMs = duration('stepUp.window', options.stepUp?.window, 10 * 60_000, 1000, HOUR)
  return {
    issuer,
    audience: options.audience ?? issuer,
    basePath: basePathOf(options.basePath ?? '/api'),
    accessTtlMs: duration('accessToken.ttl', options.accessToken?.ttl, 10 * 60_000, 1000, HOUR),
    accessAlg: oneOf('accessToken.alg', options.accessToken?.alg ?? 'EdDSA', ['EdDSA', 'ES256']),
    refreshTtlMs,
    maxSessionLifeMs: duration(
      'refreshToken.maxSessionLife',
      options.refreshToken?.maxSessionLife,
      mostLifeMs,
      1000,
      mostLifeMs,
    ),
    idleMs: duration('session.idle', options.session?.idle, refreshTtlMs, 1000, mostTtlMs),
    impersonationReadOnly: options.impersonation?.readOnly ?? false,
    impersonationLifeMs: duration('impersonation.life', options.impersonation?.life, 30 * 60_000, 1000, 30 * 60_000),
    trustedProxies: proxiesOf(options.trustedProxies),
    cookie: cookieOf(issuer, options.cookie),
    retry: {
      mode: options.retry === 'strict' ? 'strict' : 'retry',
      overlapMs: duration('retry.overlap', retry?.overlap, 10_000, 1, 60_000),
      unboundWindowMs: duration('retry.unboundWindow', retry?.unboundWindow, 30_000, 1, 5 * 60_000),
    },
    reuse: {
      contain: oneOf('reuse.contain', options.reuse?.contain ?? 'staff', ['family', 'staff', 'user']),
      revoked: oneOf('reuse.revoked', options.reuse?.revoked ?? 'refuse', ['refuse', 'contain']),
    },
    consistency: oneOf('consistency', options.consistency ?? 'live', ['live', 'strict']),
    maxStalenessMs: duration('maxStaleness', options.maxStaleness, 5000, 200, 60_000),
    signUp: {
      enabled: options.signUp?.enabled ?? true,
      verifyEmailFirst: options.signUp?.verifyEmailFirst ?? false,
    },
    stepUpWindowMs,
    stepUpPurposes: purposeRegistry(stepUpWindowMs, options.stepUp?.purposes),
    audit: {
      sealEveryMs: duration('audit.sealEvery', options.audit?.sealEvery, 2000, 10, 60_000),
      checkpointEveryMs: duration('audit.checkpointEvery', options.audit?.checkpointEvery, 60_000, 10, HOUR),
      checkpointRows: rowsOf(options.audit?.checkpointRows ?? 1000),
      witness: witnessOf(options.audit?.witness ?? {}),
      actions: options.audit?.actions ?? {},
    },
    retention: retentionOf(options.retention ?? {}),
    jobs: { schedule: options.jobs?.schedule ?? true },
    build: {
      commit: buildText('commit', options.build?.commit),
      image: buildText('image', options.build?.image),
      environment: buildText('environment', options.build?.environment),
    },
    permissions: permissionRegistry(options.permissions),
    emailCodes: options.stepUp?.emailCodes ?? true,
    mfaAtSignIn: oneOf('mfa.atSignIn', options.mfa?.atSignIn ?? 'enrolled', ['enrolled', 'risk', 'always']),
    allowedOrigins: originsOf(issuer, options.allowedOrigins ?? []),
    preset,
    risk: resolveRisk(options.risk),
    geo: geoOf(options),
    sessionLimit: {
      max: sessionLimitOf(options.sessionLimit?.max),
      policy: oneOf('sessionLimit.policy', options.sessionLimit?.policy ?? 'step-up', [
        'step-up',
        'evict-oldest',
        'deny',
      ]),
    },
    dpop: { nonce: options.dpop?.nonce ?? false, requireOnRequests: options.dpop?.requireOnRequests ?? false },
    rateLimits: resolveRateLimits(options.rateLimits, production),
  }
}

function geoOf({ geo = {}, trustedProxies }: SallyportOptions): GeoOptions {
  const isTrusting = Array.isArray(trustedProxies) ? trustedProxies.length > 0 : (trustedProxies ?? 0) !== 0
  if (geo.headers !== undefined && !isTrusting) {
    throw invalid('geo.headers', 'needs trustedProxies: headers about places are believed from those alone')
  }
  return geo
}

function sessionLimitOf(max: number | undefined): number | undefined {
  if (max !== undefined && (!Number.isInteger(max) || max < 1)) {
    throw invalid('sessionLimit.max', 'must be a whole number from 1 on')
  }
  return max
}

function refuseUnknown(options: SallyportOptions): void {
  for (const [name, value] of Object.entries(options as unknown as Record<string, unknown>)) {
    const known = (KNOWN as Readonly<Record<string, readonly string[] | 'value'>>)[name]
    if (known === undefined) throw invalid(name, `is no option; known are ${Object.keys(KNOWN).join(', ')}`)
    if (known === 'value' || typeof value !== 'object' || value === null) continue
    for (const inner of Object.keys(value)) {
      if (!known.includes(inner)) throw invalid(`${name}.${inner}`, `is no option; known are ${known.join(', ')}`)
    }
  }
}

function retentionOf(given: NonNullable<SallyportOptions['retention']>): Settings['retention'] {
  const age = (name: keyof typeof given, fallback: number, least: number): number =>
    duration(`retention.${name}`, given[name], fallback, least, 100 * 365 * DAY)
  return {
    tokensMs: age('tokens', 30 * DAY, 30 * DAY),
    reuseMs: age('reuse', 90 * DAY, 90 * DAY),
    sessionsMs: age('sessions', 90 * DAY, 30 * DAY),
    challengesMs: age('challenges', 90 * DAY, DAY),
    linksMs: age('links', 30 * DAY, DAY),
    changesMs: age('changes', DAY, HOUR),
    // The database refuses less as well: a year of evidence, and the weeks that it takes to ask for it.
    auditLogsMs: given.auditLogs === undefined ? undefined : age('auditLogs', 400 * DAY, 400 * DAY),
  }
}

function buildText(name: string, given: string | undefined): string | null {
  if (given !== undefined && !/^[\x21-\x7e]{1,256}$/.test(given)) {
    throw invalid(`build.${name}`, 'must be 1 to 256 printable characters without spaces')
  }
  return given ?? null
}

function rowsOf(rows: number): number {
  if (!Number.isInteger(rows) || rows < 1 || rows > 1_000_000) {
    throw invalid('audit.checkpointRows', 'must be a whole number from 1 to 1000000')
  }
  return rows
}

function witnessOf({ file, url, ...rest }: WitnessOptions): WitnessOptions {
  for (const name of Object.keys(rest)) {
    throw invalid(`audit.witness.${name}`, 'is no option; known are file, url')
  }
  if (url !== undefined && (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))) {
    throw invalid('audit.witness.url', 'must be an absolute http or https URL')
  }
  if (file === '') throw invalid('audit.witness.file', 'must be the path of a file')
  return { file, url }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

function issuerOf(issuer: string, production: boolean): string {
  if (
    typeof issuer !== 'string' ||
    !URL.canParse(issuer) ||
    !/^https?:$/.test(new URL(issuer).protocol) ||
    issuer.endsWith('/')
  ) {
    throw invalid(
      'issuer',
      'must be an absolute http or https URL without a trailing slash, such as https://app.example.com',
    )
  }
  const { protocol, hostname } = new URL(issuer)
  if (production && protocol === 'http:' && !LOOPBACK.test(hostname)) {
    throw invalid('issuer', 'must be https in production: cookies would lack Secure, and tokens travel readable')
  }
  return issuer
}

/** Whose forwarding headers are believed: the networks of the proxies, or how many stand in a row before the service. */
export type TrustedProxies =
  | { readonly kind: 'none' }
  | { readonly kind: 'hops'; readonly count: number }
  | { readonly kind: 'networks'; readonly matcher: IpMatcher }

function proxiesOf(proxies: readonly string[] | number | undefined): TrustedProxies {
  if (proxies === undefined || proxies === 0 || (Array.isArray(proxies) && proxies.length === 0))
    return { kind: 'none' }
  if (typeof proxies === 'number') {
    if (!Number.isInteger(proxies) || proxies < 0 || proxies > 16) {
      throw invalid('trustedProxies', 'must be networks, or a number of proxies from 0 to 16')
    }
    return { kind: 'hops', count: proxies }
  }
  if (!Array.isArray(proxies)) throw invalid('trustedProxies', 'must be networks, or a number of proxies from 0 to 16')
  const rules = (proxies as readonly string[]).map((network) => {
    const parsed = typeof network === 'string' ? parseCidr(network) : undefined
    if (parsed?.kind !== 'cidr') {
      throw invalid('trustedProxies', `${JSON.stringify(network)} ${parsed?.rule ?? 'must be a text'}`)
    }
    return { id: network, type: 'ALLOW' as const, cidr: parsed.cidr.text }
  })
  return { kind: 'networks', matcher: compileRules(rules) }
}

/** How the refresh token travels as a cookie. */
export interface CookieSettings {
  /** With its prefix. */
  readonly name: string
  readonly conventionName: string
  readonly domain: string | undefined
  readonly secure: boolean
}

function cookieOf(issuer: string, cookie: SallyportOptions['cookie']): CookieSettings {
  const name = cookie?.name ?? 'sallyport-session'
  const conventionName = cookie?.conventionName ?? 'session'
  for (const [option, value] of Object.entries({ 'cookie.name': name, 'cookie.conventionName': conventionName })) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(value) || value.startsWith('__')) {
      throw invalid(option, 'must be of letters, digits, dots, underscores and hyphens, without a prefix of its own')
    }
  }
  const domain = cookie?.domain
  if (domain !== undefined && !/^(?:[a-z0-9-]+\.)+[a-z0-9-]+$/.test(domain)) {
    throw invalid('cookie.domain', 'must be a domain such as example.com')
  }
  const secure = issuer.startsWith('https:')
  // Browsers refuse the prefixes without Secure, which plain http://localhost cannot have.
  const prefix = secure ? (domain === undefined ? '__Host-' : '__Secure-') : ''
  return { name: `${prefix}${name}`, conventionName, domain, secure }
}

function originsOf(issuer: string, origins: readonly string[]): readonly string[] {
  for (const origin of origins) {
    // As a browser writes it in its Origin header: with another spelling it would match nothing, and nobody would know why.
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || !/^https?:[^*]+$/.test(origin)) {
      throw invalid(
        'allowedOrigins',
        'must list origins such as https://app.example.com, in lower case, without a path and without a pattern',
      )
    }
  }
  return [...new Set([new URL(issuer).origin, ...origins])]
}

function basePathOf(path: string): string {
  if (!/^(?:\/[a-z0-9-]+)+$/.test(path))
    throw invalid('basePath', 'must be a path such as /api, without a trailing slash')
  return path
}

function duration(name: string, value: Duration | undefined, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback
  const ms = toMs(value)
  if (ms === undefined)
    throw invalid(name, `must be a duration such as "10m" or a number of milliseconds, not ${JSON.stringify(value)}`)
  if (ms < min || ms > max) throw invalid(name, `must be from ${min} to ${max} ms, not ${ms}`)
  return ms
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw invalid(name, `must be one of ${allowed.join(', ')}`)
  return value
}

function invalid(option: string, rule: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `option "${option}" ${rule}`, { facts: { option } })
}
