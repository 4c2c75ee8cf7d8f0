import { describe, expect, test } from 'vitest'
import type { FamilyId, SessionId, StaffId, TenantId, TokenId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { Binding, RefreshFacts, RefreshSession } from '../store/contract/tokens.ts'
import { judge } from './judge.ts'

const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2030, 0, 31)
const at = (ms: number): Date => new Date(NOW + ms)

const RULES: Parameters<typeof judge>[2] = {
  retry: { mode: 'retry', overlapMs: 10 * SECOND, unboundWindowMs: 30 * SECOND },
  reuse: { contain: 'staff', revoked: 'refuse' },
  maxSessionLifeMs: 30 * DAY,
  idleMs: 3 * DAY,
  preset: 'standard',
}
const NONE: Binding = { type: 'none' }
const KEY: Binding = { type: 'key', value: 'k' }
const COOKIE: Binding = { type: 'cookie', value: 'c' }

const SESSION: RefreshSession = {
  id: newId<SessionId>(),
  staffId: newId<StaffId>(),
  kind: 'login',
  delivery: 'body',
  sessionVersion: 1,
  createdAt: at(-DAY),
  lastSeenAt: at(-HOUR),
  expiresAt: at(29 * DAY),
  ipAddress: null,
  country: null,
  city: null,
  latitude: null,
  longitude: null,
  userAgent: null,
  deviceFingerprint: null,
  deviceCookieHash: null,
  amr: ['pwd'],
  authTime: at(-DAY),
  stepUpRequiredAt: null,
  stepUpRisk: null,
  revokedAt: null,
  revokeReason: null,
  staff: { role: 'owner', sessionVersion: 1, status: 'active' },
  user: { name: 'Ada', disabled: false, lastMfaAt: null },
  tenant: { disabled: false },
  liveSessions: 1,
  youngSessions: 0,
  recentFailures: 0,
  deviceTrusted: false,
}

const ACTIVE: RefreshFacts = {
  now: at(0),
  token: {
    id: newId<TokenId>(),
    generation: 4,
    issuedAt: at(-HOUR),
    expiresAt: at(DAY),
    consumedAt: null,
    isRevoked: false,
    revokeReason: null,
    ipAddress: null,
    userAgent: null,
    deviceFingerprint: null,
  },
  family: {
    id: newId<FamilyId>(),
    generation: 4,
    binding: NONE,
    sessionStartedAt: at(-DAY),
    revokedAt: null,
    revokeReason: null,
    sharedGeneration: 0,
    sharedRun: 0,
  },
  successor: null,
  tenantId: newId<TenantId>(),
  userId: newId<UserId>(),
  session: SESSION,
}

type Changes = {
  readonly token?: Partial<RefreshFacts['token']>
  readonly family?: Partial<RefreshFacts['family']>
  readonly successor?: Partial<NonNullable<RefreshFacts['successor']>> | null
  readonly session?: Partial<RefreshSession> | null
}

const SUCCESSOR: NonNullable<RefreshFacts['successor']> = {
  id: newId<TokenId>(),
  tokenHash: new Uint8Array(32),
  nonce: new Uint8Array(16),
  secretId: '0123456789',
  generation: 5,
  expiresAt: at(2 * DAY),
  consumedAt: null,
  confirmedAt: null,
  isRevoked: false,
  ipAddress: null,
  userAgent: null,
  deviceFingerprint: null,
}

function facts({ token, family, successor, session }: Changes = {}): RefreshFacts {
  return {
    ...ACTIVE,
    token: { ...ACTIVE.token, ...token },
    family: { ...ACTIVE.family, ...family },
    successor: successor == null ? null : { ...SUCCESSOR, ...successor },
    session: session === null ? null : { ...SESSION, ...session },
  }
}

/** A token that was consumed this long ago, whose successor is the newest of its family. */
function spent(ago: number, { token, family, successor, ...rest }: Changes = {}): RefreshFacts {
  return facts({
    ...rest,
    token: { consumedAt: at(-ago), ...token },
    family: { generation: 5, ...family },
    successor: successor === null ? null : { ...successor },
  })
}

const strict = { ...RULES, retry: { ...RULES.retry, mode: 'strict' as const } }
const harsh = { ...RULES, reuse: { ...RULES.reuse, revoked: 'contain' as const } }

/** The verdict in a word, with what comes with it. */
function verdictOf(given: RefreshFacts, proof: Binding | readonly Binding[] = [], rules = RULES): string {
  const verdict = judge(given, [proof].flat(), rules)
  if ('cause' in verdict) return `${verdict.kind} ${verdict.cause}`
  if ('code' in verdict) return `${verdict.kind} ${verdict.code} ${verdict.reason}`
  return 'reason' in verdict ? `${verdict.kind} ${verdict.reason}` : verdict.kind
}

const ENDED = { revokedAt: at(-SECOND), revokeReason: 'logout' } as const
const LOST = 'replay lost-response'
const TABS = 'replay concurrent'
const CONFIRMED = { successor: { confirmedAt: at(-1) } }

describe('the state machine', () => {
  const ROWS: readonly (readonly [string, string, RefreshFacts, Binding?, typeof RULES?])[] = [
    ['an active token rotates', 'rotate', facts()],
    ['an active token of a host’s own session rotates', 'rotate', facts({ session: null })],

    ['a family that ended: an active token', 'family-ended logout', facts({ family: ENDED })],
    ['a family that ended: a spent token', 'family-ended logout', spent(DAY, { family: ENDED })],
    ['a family that ended: a retry within the window', 'family-ended logout', spent(SECOND, { family: ENDED })],
    [
      'a family that ended: an expired token',
      'family-ended logout',
      facts({ family: ENDED, token: { expiresAt: at(-1) } }),
    ],
    [
      'a family that ended: a revoked token',
      'family-ended logout',
      facts({ family: ENDED, token: { isRevoked: true } }),
    ],
    [
      'a family that ended: strict mode changes nothing',
      'family-ended logout',
      spent(DAY, { family: ENDED }),
      NONE,
      strict,
    ],

    ['spent comes before revoked', 'reuse', spent(DAY, { token: { isRevoked: true, revokeReason: 'manual' } })],
    ['spent comes before expired', 'reuse', spent(DAY, { token: { expiresAt: at(-1) } })],
    ['spent is reuse even when the session is over', 'reuse', spent(DAY, { session: { expiresAt: at(-1) } })],

    ['revoked alone is refused', 'revoked-alone manual', facts({ token: { isRevoked: true, revokeReason: 'manual' } })],
    [
      'revoked alone comes before expired',
      'revoked-alone manual',
      facts({ token: { isRevoked: true, revokeReason: 'manual', expiresAt: at(-1) } }),
    ],
    [
      'revoked alone is reuse by setting',
      'reuse',
      facts({ token: { isRevoked: true, revokeReason: 'manual' } }),
      NONE,
      harsh,
    ],
    ['1 ms before its expiry a token rotates', 'rotate', facts({ token: { expiresAt: at(1) } })],
    ['at its expiry a token has expired', 'expired', facts({ token: { expiresAt: at(0) } })],
    [
      'expired comes before a session that is over',
      'expired',
      facts({ token: { expiresAt: at(0) }, session: { expiresAt: at(-1) } }),
    ],
    [
      'expired comes before a missing proof',
      'expired',
      facts({ token: { expiresAt: at(0) }, family: { binding: KEY } }),
    ],

    ['a key-bound family needs its proof', 'proof-missing', facts({ family: { binding: KEY } })],
    [
      'a key-bound family refuses another key',
      'proof-missing',
      facts({ family: { binding: KEY } }),
      { type: 'key', value: 'other' },
    ],
    [
      'a key-bound family refuses a cookie of the same value',
      'proof-missing',
      facts({ family: { binding: KEY } }),
      { type: 'cookie', value: 'k' },
    ],
    ['a key-bound family rotates with its proof', 'rotate', facts({ family: { binding: KEY } }), KEY],
    [
      'a cookie-bound family rotates without the cookie: that is for the risk score',
      'rotate',
      facts({ family: { binding: COOKIE } }),
    ],

    [
      '1 ms before maxSessionLife a session goes on',
      'rotate',
      facts({ family: { sessionStartedAt: at(1 - 30 * DAY) } }),
    ],
    [
      'at maxSessionLife it is over',
      'session-over SESSION_EXPIRED max_session_life',
      facts({ family: { sessionStartedAt: at(-30 * DAY) } }),
    ],
    [
      'at maxSessionLife a host’s own is over too',
      'session-over SESSION_EXPIRED max_session_life',
      facts({ session: null, family: { sessionStartedAt: at(-30 * DAY) } }),
    ],
    [
      'maxSessionLife ends a retry too',
      'session-over SESSION_EXPIRED max_session_life',
      spent(SECOND, { family: { sessionStartedAt: at(-30 * DAY) } }),
    ],

    [
      'an older version than the staff’s',
      'session-over SESSION_INVALIDATED force_logout',
      facts({ session: { staff: { ...SESSION.staff, sessionVersion: 2 } } }),
    ],
    [
      'a revoked session tells why it was',
      'session-over SESSION_REVOKED evicted',
      facts({ session: { revokedAt: at(-1), revokeReason: 'evicted' } }),
    ],
    [
      'a disabled staff member',
      'session-over SESSION_INVALIDATED member_disabled',
      facts({ session: { staff: { ...SESSION.staff, status: 'disabled' } } }),
    ],
    [
      'a removed staff member',
      'session-over SESSION_INVALIDATED member_removed',
      facts({ session: { staff: { ...SESSION.staff, status: 'removed' } } }),
    ],
    [
      'a disabled user',
      'session-over SESSION_INVALIDATED member_disabled',
      facts({ session: { user: { name: 'Ada', disabled: true, lastMfaAt: null } } }),
    ],
    [
      'a disabled tenant',
      'session-over SESSION_INVALIDATED member_disabled',
      facts({ session: { tenant: { disabled: true } } }),
    ],
    [
      'a session past its end',
      'session-over SESSION_EXPIRED max_session_life',
      facts({ session: { expiresAt: at(0) } }),
    ],
    [
      'an idle session',
      'session-over SESSION_EXPIRED session_expired',
      facts({ session: { lastSeenAt: at(-3 * DAY) }, token: { issuedAt: at(-3 * DAY) } }),
    ],
    [
      '1 ms before the idle limit it goes on',
      'rotate',
      facts({ session: { lastSeenAt: at(1 - 3 * DAY) }, token: { issuedAt: at(-3 * DAY) } }),
    ],
    [
      'under a NIST preset a refresh is none',
      'session-over SESSION_EXPIRED session_expired',
      facts({ session: { lastSeenAt: at(-3 * DAY) }, token: { issuedAt: at(-1) } }),
      NONE,
      { ...RULES, preset: 'nist-aal3' },
    ],
    [
      'a refresh is activity, though its touch was not written',
      'rotate',
      facts({ session: { lastSeenAt: at(-3 * DAY) }, token: { issuedAt: at(1 - 3 * DAY) } }),
    ],
    ['a session that waits', 'waiting', facts({ session: { stepUpRequiredAt: at(-1) } })],
    ['a retry of a session that waits', 'waiting', spent(SECOND, { session: { stepUpRequiredAt: at(-1) } })],
    [
      'a retry of an older version',
      'session-over SESSION_INVALIDATED force_logout',
      spent(SECOND, { session: { staff: { ...SESSION.staff, sessionVersion: 2 } } }),
    ],
    [
      'a retry of a session that was revoked',
      'session-over SESSION_REVOKED manual',
      spent(SECOND, { session: { revokedAt: at(-1), revokeReason: 'manual' } }),
    ],
  ]
  for (const [name, expected, given, proof, rules] of ROWS) {
    test(`${name}: ${expected}`, () => expect(verdictOf(given, proof, rules)).toBe(expected))
  }
})

describe('the retry rule', () => {
  const bound = (ago: number, binding: Binding, changes: Changes = {}) =>
    spent(ago, { ...changes, family: { ...changes.family, binding } })
  const older = (ago: number, changes: Changes = {}) =>
    spent(ago, {
      ...changes,
      family: { generation: 6, ...changes.family },
      successor: { consumedAt: at(-1), confirmedAt: at(-1) },
    })

  const ROWS: readonly (readonly [string, string, RefreshFacts, (Binding | readonly Binding[])?, typeof RULES?])[] = [
    ['unbound, unconfirmed, at once', LOST, spent(0)],
    ['unbound, unconfirmed, 1 ms before the window ends', LOST, spent(30 * SECOND - 1)],
    ['unbound, unconfirmed, as the window ends', LOST, spent(30 * SECOND)],
    ['unbound, unconfirmed, 1 ms after the window', 'reuse', spent(30 * SECOND + 1)],
    ['a proof does not help where nothing is bound', 'reuse', spent(30 * SECOND + 1), KEY],

    ['confirmed, at once', TABS, spent(0, CONFIRMED)],
    ['confirmed, 1 ms before the overlap ends', TABS, spent(10 * SECOND - 1, CONFIRMED)],
    ['confirmed, as the overlap ends', TABS, spent(10 * SECOND, CONFIRMED)],
    ['confirmed, 1 ms after the overlap', 'reuse', spent(10 * SECOND + 1, CONFIRMED)],

    ['bound to a key, unconfirmed, after an hour', LOST, bound(HOUR, KEY), KEY],
    ['bound to a key, unconfirmed, after two days', LOST, bound(2 * DAY, KEY), KEY],
    ['bound to the cookie, unconfirmed, after an hour', LOST, bound(HOUR, COOKIE), COOKIE],
    ['bound to the cookie, unconfirmed, after two days', LOST, bound(2 * DAY, COOKIE), COOKIE],
    ['bound to the cookie, with a key proven beside it', LOST, bound(HOUR, COOKIE), [KEY, COOKIE]],
    ['bound to the cookie, with a key proven in its place', 'reuse', bound(HOUR, COOKIE), [KEY]],
    ['bound to a key, with the cookie beside it', LOST, bound(HOUR, KEY), [KEY, COOKIE]],
    ['bound to a key, confirmed, as the overlap ends', TABS, bound(10 * SECOND, KEY, CONFIRMED), KEY],
    ['bound to a key, confirmed, 1 ms after the overlap', 'reuse', bound(10 * SECOND + 1, KEY, CONFIRMED), KEY],
    ['bound to a key that is not shown, at once', 'reuse', bound(0, KEY)],
    ['bound to a key, another shown, at once', 'reuse', bound(0, KEY), { type: 'key', value: 'other' }],
    ['bound to the cookie that is not shown, at once', 'reuse', bound(0, COOKIE)],
    ['bound to the cookie, a key of the same value shown', 'reuse', bound(0, COOKIE), { type: 'key', value: 'c' }],

    ['the successor was consumed: the token is further back, within the overlap', 'try-again', older(10 * SECOND)],
    ['further back, 1 ms after the overlap', 'reuse', older(10 * SECOND + 1)],
    [
      'further back by many generations, within the overlap',
      'try-again',
      older(SECOND, { family: { generation: 40 } }),
    ],
    [
      'further back and bound: after an hour it is reuse, whatever the proof',
      'reuse',
      older(HOUR, { family: { binding: KEY } }),
      KEY,
    ],
    ['the successor was revoked alone', 'reuse', spent(0, { successor: { isRevoked: true } })],
    ['the successor expires in 1 ms', LOST, bound(2 * DAY, KEY, { successor: { expiresAt: at(1) } }), KEY],
    [
      'the successor has expired: too late, and no theft',
      'expired',
      bound(2 * DAY, KEY, { successor: { expiresAt: at(0) } }),
      KEY,
    ],
    [
      'the successor has expired, and there is no proof',
      'reuse',
      bound(2 * DAY, KEY, { successor: { expiresAt: at(0) } }),
    ],
    ['the successor has expired, and nothing binds', 'reuse', spent(2 * DAY, { successor: { expiresAt: at(0) } })],
    [
      'the successor was shown, and has expired',
      'reuse',
      bound(2 * DAY, KEY, { successor: { expiresAt: at(0), confirmedAt: at(-DAY) } }),
      KEY,
    ],
    ['there is no successor', 'reuse', spent(0, { successor: null })],

    ['strict: at once', 'reuse', spent(0), NONE, strict],
    ['strict: bound, with the proof', 'reuse', bound(0, KEY), KEY, strict],
    ['strict: further back, within the overlap', 'reuse', older(SECOND), NONE, strict],
  ]
  for (const [name, expected, given, proof, rules] of ROWS) {
    test(`${name}: ${expected}`, () => expect(verdictOf(given, proof, rules)).toBe(expected))
  }
})
