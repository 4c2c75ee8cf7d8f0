/**
 * Starts a session: the row, its family, the first refresh token and the first access token.
 *
 * @module
 */

import type { AuditEvent, AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { deviceLabel } from '../internal/device-digest.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { issueFirst } from '../refresh-tokens/issue.ts'
import type { Place } from '../risk/facts.ts'
import { NOWHERE } from '../risk/facts.ts'
import type { EndedSessions } from '../store/contract/ended-sessions.ts'
import type { NewSession, SessionCreation, SessionLimits, SessionRow } from '../store/contract/sessions.ts'
import type { Binding } from '../store/contract/tokens.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { acrOf } from './acr.ts'
import { announceEnded } from './end.ts'
import { endedRows } from './ended-rows.ts'
import type { IssuedSession } from './issued.ts'
import { mintAccessToken } from './mint-access-token.ts'

export interface CreateSessionInput {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  /** As it is now, for the audit rows. */
  readonly userName: string
  /** How the person authenticated (RFC 8176): `pwd`, `otp`, … */
  readonly amr: readonly string[]
  readonly request: RequestFacts
  readonly delivery?: 'body' | 'cookie' | undefined
  /** What the family is bound to. Defaults to nothing. */
  readonly binding?: Binding | undefined
  /** Where the request came from, as far as it is known. */
  readonly place?: Place | undefined
  /** The hash of the cookie that the client's device is known by from now on. */
  readonly deviceCookieHash?: string | undefined
  /** What may keep the session from being made. Defaults to nothing: whoever calls has judged. */
  readonly limits?: SessionLimits | undefined
  /** The event that names the request (`AUTH_LOGIN`, …); `SESSION_CREATED` gets a row beside it, with the same correlation id. */
  readonly cause: Pick<AuditEvent, 'action' | 'resource' | 'resourceId' | 'metadata'>
}

/** A session about to be created: what is stored, what is audited, and what the client is then handed. */
export interface PreparedSession {
  readonly stored: NewSession
  readonly rows: (now: Date, evicted?: EndedSessions) => readonly AuditRow[]
  /** Makes the access token, and tells listeners. Call it after the commit. */
  readonly issue: (session: SessionRow) => Promise<IssuedSession>
}

/**
 * Asks the tenant whether somebody may sign in from there, and for how long at most.
 *
 * @param enforce How the address is held to the rules. Defaults to what a sign-in's first request takes.
 * @throws SallyportError `IP_BLOCKED`, `IP_NOT_ALLOWED`, `UNAVAILABLE`.
 */
export async function admitSignIn(
  engine: Engine,
  {
    tenantId,
    request,
    ...who
  }: Pick<CreateSessionInput, 'tenantId' | 'userId' | 'staffId' | 'request'> & { readonly actorName: string },
  enforce: typeof enforceIpRules = enforceIpRules,
): Promise<{ readonly lifeMs: number }> {
  await enforce(engine, { tenantId, request, at: 'sign-in', who })
  return { lifeMs: (await limitsOf(engine, tenantId)).maxSessionLifeMs }
}

/**
 * Makes ids and tokens for a session, for whichever transaction is to create it. Its id is new: nothing that a client sent is
 * taken over.
 */
export function prepareSession(
  engine: Engine,
  input: CreateSessionInput,
  { lifeMs }: { readonly lifeMs: number },
): PreparedSession {
  const { settings, events } = engine
  const sessionId = newId<SessionId>()
  const first = issueFirst(engine, { tenantId: input.tenantId, request: input.request })
  return {
    stored: {
      id: sessionId,
      tenantId: input.tenantId,
      userId: input.userId,
      staffId: input.staffId,
      delivery: input.delivery ?? 'body',
      lifeMs,
      ipAddress: input.request.ipAddress ?? null,
      userAgent: input.request.userAgent ?? null,
      place: input.place ?? NOWHERE,
      deviceFingerprint: input.request.deviceFingerprint ?? null,
      deviceCookieHash: input.deviceCookieHash ?? null,
      deviceInfo: input.request.deviceInfo ?? null,
      amr: input.amr,
      familyId: first.familyId,
      binding: input.binding ?? { type: 'none' },
      token: first.stored,
      tokenTtlMs: settings.refreshTtlMs,
      limits: input.limits,
    },
    rows(now, evicted = NOTHING) {
      const common = {
        tenantId: input.tenantId,
        userId: input.userId,
        actorName: input.userName,
        staffId: input.staffId,
        sessionId,
        request: input.request,
        country: input.place?.country,
        city: input.place?.city,
      }
      return [
        auditRow({ ...common, ...input.cause }, now),
        auditRow(
          {
            ...common,
            action: 'SESSION_CREATED',
            resource: 'session',
            resourceId: sessionId,
            metadata: {
              delivery: input.delivery ?? 'body',
              amr: input.amr,
              device: deviceLabel({
                fingerprint: input.request.deviceFingerprint ?? null,
                cookieHash: input.deviceCookieHash ?? null,
              }),
            },
          },
          now,
        ),
        ...endedRows(evicted, 'evicted', common, now),
      ]
    },
    async issue(session) {
      const access = await mintAccessToken(engine, {
        userId: input.userId,
        tenantId: input.tenantId,
        staffId: input.staffId,
        sessionId,
        sessionVersion: session.sessionVersion,
        generation: 0,
        authTime: session.authTime,
        amr: session.amr,
        acr: acrOf(session.amr),
        sessionEndsAt: session.expiresAt,
        ...(input.binding?.type === 'key' ? { keyThumbprint: input.binding.value } : {}),
      })
      events.emit('session.created', { tenantId: input.tenantId, sessionId, userId: input.userId })
      return { session, ...access, refreshToken: first.raw }
    },
  }
}

/** A session with its tokens, or what kept it from being made. */
export type SessionStart =
  | { readonly kind: 'started'; readonly issued: IssuedSession }
  | Exclude<SessionCreation, { readonly kind: 'created' }>

/**
 * Creates a session for a staff member who has just authenticated, within its limits. What is refused leaves no row.
 *
 * @throws SallyportError `IP_BLOCKED`, `IP_NOT_ALLOWED`, `UNAVAILABLE`.
 */
export async function startLimitedSession(engine: Engine, input: CreateSessionInput): Promise<SessionStart> {
  const { tenantId, userId, staffId, userName: actorName, request } = input
  const admitted = await admitSignIn(engine, { tenantId, userId, staffId, actorName, request })
  const prepared = prepareSession(engine, input, admitted)
  const creation = await engine.store.sessions.create(prepared.stored, ({ evicted }, now) =>
    prepared.rows(now, evicted),
  )
  if (creation.kind !== 'created') return creation
  announceEnded(engine, creation.evicted, { reason: 'evicted' })
  return { kind: 'started', issued: await prepared.issue(creation.session) }
}

/**
 * Creates a session without limits.
 *
 * @returns `undefined` when the staff member, the user or the tenant is not there or not enabled at this moment.
 * @throws SallyportError `IP_BLOCKED`, `IP_NOT_ALLOWED`, `UNAVAILABLE`.
 */
export async function createSession(
  engine: Engine,
  input: Omit<CreateSessionInput, 'limits'>,
): Promise<IssuedSession | undefined> {
  const start = await startLimitedSession(engine, input)
  return start.kind === 'started' ? start.issued : undefined
}

const NOTHING: EndedSessions = { sessions: [], versions: [] }
