/**
 * Establishes who is calling: a valid access token of a session that is live right now.
 *
 * @module
 */

import type { AccessTokenClaims } from '../access-tokens/claims.ts'
import { LEEWAY_SECONDS } from '../access-tokens/token-times.ts'
import { verifyAccessToken } from '../access-tokens/verify.ts'
import { retryOnUnknownKey } from '../access-tokens/retry-on-unknown-key.ts'
import { lowerRole } from '../directory/roles.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { actOn } from '../ip-rules/enforce.ts'
import type { PresentedProof } from '../key-binding/prove-key.ts'
import { proveKey } from '../key-binding/prove-key.ts'
import type { LiveFacts } from '../store/contract/sessions.ts'
import type { TenantPolicy } from '../tenant-settings/policy.ts'
import { judgeAddress } from '../tenant-settings/policy.ts'
import { tightened } from '../tenant-settings/read.ts'
import type { Caller } from './caller.ts'
import type { SessionVerdict } from './judge.ts'
import { judgeSession } from './judge.ts'
import type { LiveEntry } from './live-view.ts'
import { isTouchDue } from './write-behind.ts'

const MAX_TOKENS = 100_000

/** An access token that this node has verified, with the session that it was found live in. */
interface KnownToken {
  readonly claims: AccessTokenClaims
  /** By this node's clock, milliseconds. */
  readonly expiresAt: number
  entry: LiveEntry
  caller: Caller
  policy: TenantPolicy
  /** The address that the policy last let through, so that a client that stays where it is costs a comparison. */
  passedFrom: string | undefined
  passedUntil: number
}

/** Whether a request counts as the person's activity. */
export interface AuthenticateOptions {
  /** Polling and prefetching move no idle limit. Defaults to false. */
  readonly background?: boolean | undefined
  /** Where the request comes from, as `clientAddress` tells it: what the tenant's IP rules are asked about. */
  readonly ipAddress?: string | undefined
  /** For the audit row of a refusal. */
  readonly correlationId?: string | undefined
  readonly userAgent?: string | undefined
  /** Asks no IP rule: one who signs out may do so from anywhere. Defaults to false. */
  readonly anywhere?: boolean | undefined
  /** Where the token came under the scheme `DPoP`: the proof beside it, which must then be good (RFC 9449 section 7). */
  readonly proof?: PresentedProof | undefined
}

/**
 * Tokens that were verified before. A signature does not change, so it is checked once; whether the session lives is judged
 * every time. Emptied when a key changes, so that a revoked key takes its tokens with it.
 */
export class KnownTokens {
  #tokens = new Map<string, KnownToken>()

  get(token: string): KnownToken | undefined {
    return this.#tokens.get(token)
  }

  set(token: string, known: KnownToken): void {
    if (this.#tokens.size >= MAX_TOKENS) {
      const oldest = this.#tokens.keys().next().value
      if (oldest !== undefined) this.#tokens.delete(oldest)
    }
    this.#tokens.set(token, known)
  }

  delete(token: string): void {
    this.#tokens.delete(token)
  }

  clear(): void {
    this.#tokens = new Map()
  }
}

const LEEWAY_MS = LEEWAY_SECONDS * 1000

/**
 * Authenticates one request.
 *
 * @param token The bare access token, or `undefined` where the request had none.
 * @returns The caller, from memory where the change feed is fresh: then synchronously, at the cost of a map look-up.
 * @throws SallyportError `MISSING_TOKEN`, `INVALID_TOKEN`, `TOKEN_EXPIRED`, `SESSION_INVALIDATED`, `SESSION_REVOKED`,
 * `SESSION_EXPIRED`, `IP_BLOCKED`, `IP_NOT_ALLOWED`, `STEP_UP_REQUIRED` (the session waits; with the score and the reasons that it waits for), `INVALID_DPOP_PROOF` (one came that is no
 * good, or none came for a token that needs one), `UNAVAILABLE` (the database had to be asked and did not answer).
 */
export function authenticate(
  engine: Engine,
  token: string | undefined,
  options: AuthenticateOptions = NO_OPTIONS,
): Caller | Promise<Caller> {
  if (token === undefined) throw new SallyportError('MISSING_TOKEN', 'send an access token as Authorization: Bearer')
  const known = engine.knownTokens.get(token)
  if (known === undefined) return firstSight(engine, token, options)
  if (known.expiresAt + LEEWAY_MS <= Date.now()) {
    engine.knownTokens.delete(token)
    throw tokenExpired()
  }
  if (isKeyAsked(engine, known.claims, options)) {
    return proveAccessKey(engine, token, known.claims, options).then(() => look(engine, token, known, options))
  }
  return look(engine, token, known, options)
}

/** Judges a token that was verified before, from memory where that may answer. */
function look(
  engine: Engine,
  token: string,
  known: KnownToken,
  options: AuthenticateOptions,
): Caller | Promise<Caller> {
  const { live } = engine
  if (live.fresh && live.holds(known.entry) && live.holdsPolicy(known.policy)) {
    const now = live.now() as number
    if (!passes(known, options, now)) return secondLook(engine, token, known.claims, options)
    const verdict = judgeEntry(engine, known.claims, known.entry, known.policy, now)
    if (verdict.kind === 'live') return admit(engine, known, now, options)
    if (verdict.kind === 'waiting' || verdict.idle !== true) throw refusal(verdict, known.entry.facts)
    // Another node may have seen the person since: idle is judged on what the database says.
    live.forget({ kind: 'session', ref: known.claims.sid })
  }
  return secondLook(engine, token, known.claims, options)
}

const NO_OPTIONS: AuthenticateOptions = {}

async function firstSight(engine: Engine, token: string, options: AuthenticateOptions): Promise<Caller> {
  const { keys, settings } = engine
  const verified = await retryOnUnknownKey(keys, () =>
    verifyAccessToken(keys, { issuer: settings.issuer, audience: settings.audience }, token, new Date()),
  )
  if (verified.kind === 'expired') throw tokenExpired()
  if (verified.kind !== 'valid')
    throw new SallyportError('INVALID_TOKEN', 'this access token is not valid; refresh or sign in again')
  const { claims } = verified
  if (isKeyAsked(engine, claims, options)) await proveAccessKey(engine, token, claims, options)
  return secondLook(engine, token, claims, options)
}

/** Whether a proof must be looked at: one that came, or one that a bound token may not be without. */
function isKeyAsked({ settings }: Engine, { cnf }: AccessTokenClaims, { proof }: AuthenticateOptions): boolean {
  return proof !== undefined || (cnf !== undefined && settings.dpop.requireOnRequests)
}

async function proveAccessKey(
  engine: Engine,
  token: string,
  { cnf }: AccessTokenClaims,
  { proof }: AuthenticateOptions,
): Promise<void> {
  // RFC 9449 section 7.2: a token that is bound to a key is not taken as one that is not.
  if (proof === undefined) {
    throw new SallyportError('INVALID_DPOP_PROOF', 'this access token is bound to a key: send it as DPoP, with a proof')
  }
  await proveKey(engine, proof, { token, thumbprint: cnf?.jkt })
}

async function secondLook(
  engine: Engine,
  token: string,
  claims: AccessTokenClaims,
  options: AuthenticateOptions,
): Promise<Caller> {
  const { live } = engine
  const policy = live.policy(claims.tenant_id) ?? (await live.loadPolicy(claims.tenant_id))
  if (policy === undefined) throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  // Before the session is looked up: whoever may not come in learns nothing of it.
  if (options.anywhere !== true) await holdToRules(engine, policy, claims, options)
  const remembered = live.fresh ? live.get(claims.sid) : undefined
  const entry = remembered ?? (await live.load(claims.tenant_id, claims.sid))
  // A session of another tenant is one that does not exist.
  if (entry === undefined || entry.facts.tenantId !== claims.tenant_id || entry.facts.userId !== claims.sub) {
    throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  }
  const now = live.now() as number
  const verdict = judgeEntry(engine, claims, entry, policy, now)
  if (verdict.kind !== 'live') throw refusal(verdict, entry.facts)
  const known: KnownToken = {
    claims,
    expiresAt: claims.exp * 1000,
    entry,
    caller: callerOf(engine, claims, entry),
    policy,
    // Learnt by the next request: this one was held to the rules above.
    passedFrom: undefined,
    passedUntil: Number.NEGATIVE_INFINITY,
  }
  engine.knownTokens.set(token, known)
  if (claims.gen > entry.confirmedGeneration) {
    entry.confirmedGeneration = claims.gen
    engine.writeBehind.confirm({ tenantId: claims.tenant_id, sessionId: claims.sid, generation: claims.gen })
  }
  return admit(engine, known, now, options)
}

/** Whether the tenant's rules let this one through, without a row for one that they do not. */
function passes(known: KnownToken, { ipAddress, anywhere }: AuthenticateOptions, now: number): boolean {
  const { policy } = known
  if (now < policy.compiledUntil && policy.matcher === undefined) return true
  if (now < known.passedUntil && ipAddress === known.passedFrom) return true
  if (anywhere === true) return true
  if (judgeAddress(policy, ipAddress, now).kind === 'refused') return false
  known.passedFrom = ipAddress
  known.passedUntil = policy.compiledUntil
  return true
}

async function holdToRules(
  engine: Engine,
  policy: TenantPolicy,
  claims: AccessTokenClaims,
  { ipAddress, correlationId, userAgent }: AuthenticateOptions,
): Promise<void> {
  const verdict = judgeAddress(policy, ipAddress, engine.live.now() as number)
  if (verdict.kind === 'pass') return
  await actOn(engine, policy, verdict, {
    tenantId: policy.tenantId,
    request: { ipAddress, userAgent, ...(correlationId !== undefined && { correlationId }) },
    at: 'request',
    who: { userId: claims.sub, staffId: claims.staff_id, sessionId: claims.sid, realUserId: claims.act?.sub },
  })
}

function judgeEntry(
  engine: Engine,
  claims: AccessTokenClaims,
  entry: LiveEntry,
  policy: TenantPolicy,
  now: number,
): SessionVerdict {
  const { facts } = entry
  const { real } = facts
  const { idleMs, maxSessionLifeMs } = tightened(engine.settings, policy.settings)
  return judgeSession(
    {
      // The token's own version against the staff's current one: a force logout kills tokens, whatever row they name.
      sessionVersion: claims.session_version,
      expiresAt: endOf(facts, maxSessionLifeMs),
      stepUpRequiredAt: facts.stepUpRequiredAt,
      revokedAt: facts.revokedAt,
      staff: facts.staff,
      user: facts.user,
      tenant: facts.tenant,
      real: real && { ...real, expiresAt: endOf(real, maxSessionLifeMs) },
    },
    { now, lastSeen: entry.lastSeen, idleMs },
  )
}

/** When the session is over: as it was made, or by a limit that was tightened since. */
function endOf({ createdAt, expiresAt }: Pick<LiveFacts, 'createdAt' | 'expiresAt'>, mostLifeMs: number): Date {
  const end = createdAt.getTime() + mostLifeMs
  return end < expiresAt.getTime() ? new Date(end) : expiresAt
}

function admit(engine: Engine, known: KnownToken, now: number, { background }: AuthenticateOptions): Caller {
  if (background !== true) touch(engine, known, now)
  return known.caller
}

function touch(engine: Engine, { entry, policy }: KnownToken, now: number): void {
  entry.lastSeen = now
  if (!isTouchDue(entry.touchedAt, now, tightened(engine.settings, policy.settings).idleMs)) return
  const { tenantId, sessionId, real } = entry.facts
  entry.touchedAt = now
  engine.writeBehind.touch({ tenantId, sessionId, at: new Date(now) })
  if (real === null) return
  // It is the same person: who acts as another does not leave their own session unused.
  engine.live.seen(real.sessionId, new Date(now))
  engine.writeBehind.touch({ tenantId, sessionId: real.sessionId, at: new Date(now) })
}

/** In an impersonation, what both may do: a right that either loses is lost to it at once. */
function permissionsOf({ settings }: Engine, { staff, real }: LiveFacts): ReadonlySet<string> {
  const own = settings.permissions.of(staff)
  if (real === null) return own
  const acting = settings.permissions.of(real.staff)
  return new Set([...own].filter((permission) => acting.has(permission)))
}

function callerOf(engine: Engine, claims: AccessTokenClaims, { facts }: LiveEntry): Caller {
  return {
    tenantId: facts.tenantId,
    userId: facts.userId,
    staffId: facts.staffId,
    sessionId: facts.sessionId,
    kind: facts.kind,
    role: facts.real === null ? facts.staff.role : lowerRole(facts.staff.role, facts.real.staff.role),
    permissions: permissionsOf(engine, facts),
    name: facts.user.name,
    sessionVersion: claims.session_version,
    generation: claims.gen,
    authTime: new Date(claims.auth_time * 1000),
    amr: claims.amr,
    acr: claims.acr,
    ...(claims.cnf !== undefined && { keyThumbprint: claims.cnf.jkt }),
    ...(facts.real !== null && {
      realUserId: facts.real.userId,
      realSessionId: facts.real.sessionId,
      realStaffId: facts.real.staffId,
    }),
  }
}

function tokenExpired(): SallyportError {
  return new SallyportError('TOKEN_EXPIRED', 'this access token has expired; refresh it')
}

function refusal(verdict: Exclude<SessionVerdict, { kind: 'live' }>, { stepUpRisk }: LiveFacts): SallyportError {
  if (verdict.kind === 'waiting') {
    // No stepUpToken: what the step-up opens is a refresh, and whoever sends one is given it.
    return new SallyportError('STEP_UP_REQUIRED', 'this session waits for a step-up; refresh to be told how', {
      facts: { purpose: 'session_risk', ...stepUpRisk },
    })
  }
  switch (verdict.code) {
    case 'SESSION_INVALIDATED':
      return new SallyportError(verdict.code, 'all sessions of this account were ended; sign in again')
    case 'SESSION_REVOKED':
      return new SallyportError(verdict.code, 'this session has ended; sign in again')
    case 'SESSION_EXPIRED':
      return new SallyportError(verdict.code, 'this session has expired; sign in again')
  }
}
