/**
 * Exchanges a refresh token for its successor and a fresh access token, answers an honest retry with the same successor,
 * and contains a theft.
 *
 * @module
 */

import { networkOf } from '../audit/flood-gate.ts'
import type { AuditEvent } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import { assertNever } from '../internal/assert-never.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { deviceDigest, deviceLabel, deviceName } from '../internal/device-digest.ts'
import { agentFamilies } from '../risk/agent-families.ts'
import { presentedDevice } from '../risk/device.ts'
import { recorded } from '../risk/judge.ts'
import type { JudgedRefresh } from '../risk/judge-refresh.ts'
import { judgeRefresh } from '../risk/judge-refresh.ts'
import { acrOf } from '../sessions/acr.ts'
import { announceEnded } from '../sessions/end.ts'
import type { IssuedTokens } from '../sessions/issued.ts'
import { endedImpersonationRows } from '../sessions/ended-rows.ts'
import { mintAccessToken } from '../sessions/mint-access-token.ts'
import { isTouchDue } from '../sessions/write-behind.ts'
import type { RevokeReason } from '../store/contract/ended-sessions.ts'
import type { Binding, RefreshFacts, RefreshSession, ReliedFacts, RiskWindows } from '../store/contract/tokens.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import { tightened } from '../tenant-settings/read.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { contain } from './contain.ts'
import { deriveAgain, issueSuccessor } from './issue.ts'
import type { ReplayCause, Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { demandStepUp, stopHighRisk, stopRapid } from './judged.ts'
import type { Lineage } from './lineages.ts'
import { sessionSince } from './lineages.ts'
import type { ParsedToken } from './token-format.ts'
import { parseRefreshToken } from './token-format.ts'

export interface RefreshInput {
  readonly refreshToken: unknown
  readonly request: RequestFacts
  /** What the request proved of bindings. Defaults to nothing. */
  readonly proofs?: readonly Binding[] | undefined
  /** What a 428 handed out, for clients without a device: with it the step-up that it was passed by is theirs. */
  readonly stepUpToken?: string | undefined
  /** How the token came; a session's delivery is fixed at sign-in. Defaults to `body`. */
  readonly delivery?: 'body' | 'cookie' | undefined
}

/** Why no tokens were given. `code` is the answer's. */
export interface RefreshRefusal {
  readonly kind: 'refused'
  /** Whether the audit log already names this request. */
  readonly recorded: boolean
  readonly code: ErrorCode
  readonly message: string
  readonly facts?: Readonly<Record<string, unknown>>
}

type RotatedOutcome = IssuedTokens & { readonly kind: 'rotated'; readonly session: RefreshSession }

export type RefreshOutcome =
  | RotatedOutcome
  | (IssuedTokens & { readonly kind: 'replayed'; readonly cause: ReplayCause; readonly session: RefreshSession })
  | RefreshRefusal

/** How often a refresh looks again after another was faster. The second look finds the token spent. */
const ATTEMPTS = 3

/**
 * Redeems a refresh token. Of N concurrent calls with one token exactly one consumes it.
 *
 * A theft is an outcome, not an exception: it is contained and audited when this resolves.
 *
 * @throws SallyportError `UNAVAILABLE` when the database did not answer, `IP_BLOCKED` and `IP_NOT_ALLOWED` by the tenant's
 * rules: the same token may be sent again.
 */
export async function refresh(engine: Engine, input: RefreshInput): Promise<RefreshOutcome> {
  const parsed = parseRefreshToken(engine.secrets, input.refreshToken)
  const outcome = parsed === undefined ? INVALID : await redeem(engine, parsed, input)
  if (outcome.kind === 'refused') engine.events.emit('token.refused', { code: outcome.code })
  return outcome
}

const INVALID: RefreshRefusal = {
  kind: 'refused',
  recorded: false,
  code: 'REFRESH_TOKEN_INVALID',
  message: 'this is no refresh token of this server; sign in again',
}

async function redeem(engine: Engine, parsed: ParsedToken, input: RefreshInput): Promise<RefreshOutcome> {
  const name = deviceName(presentedDevice(input.request))
  const device = name === undefined ? undefined : deviceDigest(name)
  const quiet = await redeemFromMemory(engine, parsed, input, device)
  if (quiet !== undefined) return quiet
  let raced = false
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const windows = await windowsOf(engine, parsed, device)
    const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash, windows)
    if (facts === undefined) return refuseUnknown(engine, parsed, input)
    // The token-level API's families have no session to give an access token for.
    if (!hasSession(facts)) return INVALID
    const outcome = await act(engine, parsed, { facts, device }, input, raced)
    if (outcome !== 'lost') return outcome
    raced = true
  }
  throw new SallyportError('UNAVAILABLE', 'the session keeps changing under this refresh; send it again', {
    facts: { retryAfter: 1 },
  })
}

type SessionFacts = RefreshFacts & { readonly session: RefreshSession }

function hasSession(facts: RefreshFacts): facts is SessionFacts {
  return facts.session !== null
}

async function windowsOf(
  engine: Engine,
  { tenantId }: Pick<ParsedToken, 'tenantId'>,
  device: string | undefined,
): Promise<RiskWindows> {
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, tenantId)
  return { device, idleMs, maxSessionLifeMs, rapidWindowMs: engine.settings.risk.thresholds.rapidWindowMs }
}

/**
 * The quiet path, in one round trip: rotates by what this node knew when it handed the token out, where nothing speaks against it.
 * The write holds all of that against the database. `undefined` says that nothing has happened, and that the facts are to be read.
 */
async function redeemFromMemory(
  engine: Engine,
  parsed: ParsedToken,
  input: RefreshInput,
  device: string | undefined,
): Promise<RefreshOutcome | undefined> {
  const lineage = engine.live.fresh ? engine.lineages.take(parsed, engine.live.date()) : undefined
  if (lineage === undefined || lineage.device !== device) return undefined
  const verdict = await verdictOf(engine, lineage.facts, input)
  if (verdict.kind !== 'rotate' || lineage.facts.session.delivery !== (input.delivery ?? 'body')) return undefined
  await enforceIpRules(engine, ruled(lineage.facts, input))
  const { request, stepUpToken } = input
  const judged = await judgeRefresh(engine, { facts: lineage.facts, tokenHash: parsed.hash, request, stepUpToken })
  if (judged.decision !== 'pass' || judged.stepUp !== undefined) return undefined
  const relied = reliedOn(lineage, await windowsOf(engine, parsed, device))
  const outcome = await rotate(engine, parsed, lineage, input, judged, relied)
  return outcome === 'lost' ? undefined : outcome
}

/** What the write is to find as it was known. */
export function reliedOn({ facts: { family, session } }: Lineage, windows: RiskWindows): ReliedFacts {
  const { liveSessions, youngSessions, recentFailures, deviceTrusted } = session
  const { sharedGeneration, sharedRun } = family
  const { lastMfaAt, name: userName } = session.user
  return {
    windows,
    liveSessions,
    youngSessions,
    recentFailures,
    deviceTrusted,
    lastMfaAt,
    userName,
    sharedGeneration,
    sharedRun,
  }
}

async function verdictOf(engine: Engine, facts: SessionFacts, { proofs = [] }: RefreshInput): Promise<Verdict> {
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, facts.tenantId)
  const { retry, reuse, preset } = engine.settings
  return judge(facts, proofs, { retry, reuse, preset, idleMs, maxSessionLifeMs })
}

function ruled(facts: SessionFacts, { request }: RefreshInput) {
  return { tenantId: facts.tenantId, request, at: 'refresh', who: owner(facts) } as const
}

async function act(
  engine: Engine,
  parsed: ParsedToken,
  lineage: Lineage,
  input: RefreshInput,
  raced: boolean,
): Promise<RefreshOutcome | 'lost'> {
  const { facts } = lineage
  const verdict = await verdictOf(engine, facts, input)
  if (
    facts.session.delivery !== (input.delivery ?? 'body') &&
    (verdict.kind === 'rotate' || verdict.kind === 'replay')
  ) {
    return refuse(
      engine,
      facts,
      input,
      'WRONG_DELIVERY',
      'this session gets its tokens another way; send it as it was given',
    )
  }
  if (verdict.kind === 'rotate' || verdict.kind === 'replay' || verdict.kind === 'waiting') {
    // Consumes nothing: back at an allowed address, the same token goes on.
    await enforceIpRules(engine, ruled(facts, input))
  }
  switch (verdict.kind) {
    case 'rotate':
      return scored(engine, parsed, lineage, input)
    case 'replay':
      return replay(engine, parsed, facts, input, raced ? 'concurrent' : verdict.cause)
    case 'try-again':
      // Consumes nothing and accuses nobody: the client reads its storage again, where the newer token is.
      return refuse(engine, facts, input, 'RETRY', 'a newer token was issued a moment ago; use that one')
    case 'reuse':
      return reuse(engine, facts, input)
    case 'family-ended':
      return refuse(engine, facts, input, 'REFRESH_TOKEN_REVOKED', 'this session has ended; sign in again', {
        reason: verdict.reason,
      })
    case 'revoked-alone':
      return refuse(engine, facts, input, 'REFRESH_TOKEN_REVOKED', 'this token was revoked; sign in again', {
        reason: verdict.reason,
      })
    case 'expired':
      return expire(engine, facts, input)
    case 'session-over':
      return endFamily(engine, facts, input, verdict.code, verdict.reason)
    case 'waiting':
      return scored(engine, parsed, lineage, input)
    case 'proof-missing':
      return refuse(
        engine,
        facts,
        input,
        'INVALID_DPOP_PROOF',
        'this session is bound to a key; send a DPoP proof by it',
      )
    default:
      return assertNever(verdict)
  }
}

/** Scores the refresh of an active token, and does what the policy says. A session that waits is not opened by a good score. */
async function scored(
  engine: Engine,
  parsed: ParsedToken,
  lineage: Lineage,
  input: RefreshInput,
): Promise<RefreshOutcome | 'lost'> {
  const { facts } = lineage
  const { request, stepUpToken } = input
  const judged = await judgeRefresh(engine, { facts, tokenHash: parsed.hash, request, stepUpToken })
  const refresh = { facts, tokenHash: parsed.hash, request, judged }
  if (judged.decision === 'rapid') return (await stopRapid(engine, refresh)) ?? 'lost'
  // The owner passed a step-up for this very token, from this very device: that is the answer to the score.
  if (judged.stepUp !== undefined) return rotate(engine, parsed, lineage, input, judged)
  if (judged.decision === 'block') return (await stopHighRisk(engine, refresh)) ?? 'lost'
  if (judged.decision === 'step-up' || facts.session.stepUpRequiredAt !== null) return demandStepUp(engine, refresh)
  return rotate(engine, parsed, lineage, input, judged)
}

async function rotate(
  engine: Engine,
  parsed: ParsedToken,
  lineage: Lineage,
  input: RefreshInput,
  judged: JudgedRefresh,
  relied?: ReliedFacts,
): Promise<RotatedOutcome | 'lost'> {
  const { facts } = lineage
  const successor = issueSuccessor(engine, parsed, input.request)
  const generation = facts.token.generation + 1
  const rotation = engine.store.tokens.rotate({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    parentId: facts.token.id,
    generation: facts.token.generation,
    successor: successor.stored,
    ttlMs: engine.settings.refreshTtlMs,
    mark: judged.mark,
    stepUp: judged.stepUp,
    relied,
    audit: auditRow(
      {
        action: 'AUTH_TOKEN_REFRESH',
        resource: 'auth_refresh',
        resourceId: facts.session.id,
        metadata: {
          familyId: facts.family.id,
          generation,
          device: deviceLabel(presentedDevice(input.request)),
          ...recorded(judged),
          // Its score was answered: `sallyport risk replay` passes it over.
          ...(judged.stepUp !== undefined && { after: 'step_up' }),
        },
        request: input.request,
        country: judged.place.country,
        city: judged.place.city,
        ...owner(facts),
      },
      facts.now,
    ),
  })
  // Signed while the database writes. The token of a rotation that lost goes nowhere.
  const [claim, { accessToken, expiresIn }] = await Promise.all([rotation, access(engine, facts, generation)])
  if (claim === 'lost') return 'lost'
  const session = sessionSince(facts.session, judged.mark, seen(engine, facts))
  // A step-up has changed what was counted for the score: the next refresh reads it.
  if (judged.stepUp === undefined) {
    engine.lineages.rotated(lineage, successor.stored, engine.settings.refreshTtlMs, session)
  }
  engine.events.emit('token.refreshed', { tenantId: facts.tenantId, outcome: 'rotated' })
  if (judged.stepUp !== undefined) engine.live.forget({ kind: 'session', ref: facts.session.id })
  return { kind: 'rotated', session, accessToken, expiresIn, refreshToken: successor.raw }
}

async function replay(
  engine: Engine,
  parsed: ParsedToken,
  facts: SessionFacts,
  input: RefreshInput,
  cause: ReplayCause,
): Promise<RefreshOutcome | 'lost'> {
  const { successor } = facts
  const raw = successor === null ? undefined : deriveAgain(engine, parsed, successor)
  if (successor === null || raw === undefined) return reuse(engine, facts, input)
  await engine.store.tokens.replayed({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    generation: successor.generation,
    shared: isShared(engine, facts, input.request),
    audit: auditRow(
      {
        ...owner(facts),
        action: 'AUTH_TOKEN_REFRESH',
        resource: 'auth_refresh',
        resourceId: facts.session.id,
        metadata: {
          familyId: facts.family.id,
          generation: successor.generation,
          device: deviceLabel(presentedDevice(input.request)),
          replayed: cause,
        },
        request: input.request,
      },
      facts.now,
    ),
  })
  seen(engine, facts)
  engine.events.emit('token.refreshed', { tenantId: facts.tenantId, outcome: 'replayed', cause })
  return {
    kind: 'replayed',
    cause,
    session: facts.session,
    refreshToken: raw,
    ...(await access(engine, facts, successor.generation)),
  }
}

/** Whether a second hand-out is more than a lost response or a racing tab: later than tabs race, or to another network or program. */
function isShared({ settings }: Engine, { now, token, successor }: SessionFacts, request: RequestFacts): boolean {
  const age = token.consumedAt === null ? 0 : now.getTime() - token.consumedAt.getTime()
  return (
    age > settings.retry.overlapMs ||
    networkOf(request.ipAddress) !== networkOf(successor?.ipAddress ?? undefined) ||
    agentFamilies(request.userAgent ?? '') !== agentFamilies(successor?.userAgent ?? '')
  )
}

async function reuse(engine: Engine, facts: SessionFacts, input: RefreshInput): Promise<RefreshOutcome> {
  if (await contain(engine, facts, input.request)) {
    return {
      kind: 'refused',
      recorded: true,
      code: 'REFRESH_TOKEN_REUSED',
      message: 'this token was used before; the session has been ended to protect the account',
    }
  }
  // Another call contained the family between our reading and this: it has ended, and nothing more happens to anyone.
  return refuse(engine, facts, input, 'REFRESH_TOKEN_REVOKED', 'this session has ended; sign in again')
}

async function expire(engine: Engine, facts: SessionFacts, input: RefreshInput): Promise<RefreshOutcome> {
  const ended = await engine.store.tokens.expire({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    // The one that ran out: of a spent token it is the successor.
    tokenId: facts.successor?.id ?? facts.token.id,
    audit: (result, now) => [
      auditRow(failed(facts, input, 'REFRESH_TOKEN_EXPIRED'), now),
      ...endedImpersonationRows(result, undefined, 'session_expired', { request: input.request }, now),
    ],
  })
  if (ended !== undefined) announceEnded(engine, ended, { reason: 'session_expired' })
  return {
    kind: 'refused',
    recorded: true,
    code: 'REFRESH_TOKEN_EXPIRED',
    message: 'the session was not used for too long; sign in again',
  }
}

async function endFamily(
  engine: Engine,
  facts: SessionFacts,
  input: RefreshInput,
  code: ErrorCode,
  reason: RevokeReason,
): Promise<RefreshOutcome> {
  const ended = await engine.store.tokens.endFamily({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    reason,
    audit: (result, now) => [
      auditRow(failed(facts, input, code, { reason }), now),
      ...endedImpersonationRows(result, undefined, reason, { request: input.request }, now),
    ],
  })
  const message = 'this session is over; sign in again'
  // Another call ended the family between our reading and this: that one has recorded why, and this its own refusal.
  if (!ended) return refuse(engine, facts, input, code, message, { reason })
  announce(engine, facts, reason)
  return { kind: 'refused', recorded: true, code, message }
}

/** After the commit of what ended the session. */
function announce(engine: Engine, { tenantId, userId, session }: SessionFacts, reason: RevokeReason): void {
  const { id: sessionId, staffId, kind } = session
  const ended = { tenantId, sessionId, userId, staffId, kind, realUserId: null }
  announceEnded(engine, { sessions: [ended], versions: [] }, { reason })
}

async function refuse(
  engine: Engine,
  facts: SessionFacts,
  input: RefreshInput,
  code: ErrorCode,
  message: string,
  metadata?: Readonly<Record<string, unknown>>,
): Promise<RefreshRefusal> {
  await engine.refusals.record(failed(facts, input, code, metadata))
  return { kind: 'refused', recorded: true, code, message }
}

async function refuseUnknown(engine: Engine, parsed: ParsedToken, input: RefreshInput): Promise<RefreshRefusal> {
  // The MAC is ours and the row is not there: purged long ago, or a forger has a server secret. Either way it is told.
  await engine.refusals.record({
    tenantId: parsed.tenantId,
    action: 'AUTH_REFRESH_FAILED',
    failureReason: 'REFRESH_TOKEN_INVALID',
    resource: 'auth_refresh',
    resourceId: parsed.familyId,
    metadata: { suspected: 'REUSE_SUSPECTED', generation: parsed.generation },
    request: input.request,
  })
  return { ...INVALID, recorded: true }
}

/** A refresh is activity: here at once, and for the other nodes by the row. @returns What the row says, or is about to. */
function seen({ live, settings, writeBehind }: Engine, { tenantId, session, now }: SessionFacts): Date {
  // SP 800-63B-4 section 5.1.2: that a machine has a token says nothing of a person.
  if (settings.preset !== 'standard') return session.lastSeenAt
  live.seen(session.id, now)
  const policy = live.policy(tenantId)
  const { idleMs } = policy === undefined ? settings : tightened(settings, policy.settings)
  if (!isTouchDue(session.lastSeenAt.getTime(), now.getTime(), idleMs)) return session.lastSeenAt
  writeBehind.touch({ tenantId, sessionId: session.id, at: now })
  return now
}

function access(engine: Engine, facts: SessionFacts, generation: number) {
  const { session } = facts
  return mintAccessToken(engine, {
    userId: facts.userId,
    tenantId: facts.tenantId,
    staffId: session.staffId,
    sessionId: session.id,
    sessionVersion: session.sessionVersion,
    generation,
    authTime: session.authTime,
    amr: session.amr,
    acr: acrOf(session.amr),
    sessionEndsAt: session.expiresAt,
    ...(facts.family.binding.type === 'key' ? { keyThumbprint: facts.family.binding.value } : {}),
  })
}

/** The token's owner as the actor of what an honest refresh does. */
function owner(facts: SessionFacts) {
  return {
    tenantId: facts.tenantId,
    userId: facts.userId,
    actorName: facts.session.user.name,
    staffId: facts.session.staffId,
    sessionId: facts.session.id,
  }
}

function failed(
  facts: SessionFacts,
  input: RefreshInput,
  failureReason: ErrorCode,
  metadata: Readonly<Record<string, unknown>> = {},
): AuditEvent {
  return {
    ...owner(facts),
    action: 'AUTH_REFRESH_FAILED',
    outcome: 'FAIL',
    failureReason,
    resource: 'auth_refresh',
    resourceId: facts.session.id,
    metadata: { ...metadata, familyId: facts.family.id, generation: facts.token.generation },
    request: input.request,
  }
}
