import { describe, expect, test } from 'vitest'
import type { JudgedSession } from './judge.ts'
import { judgeSession } from './judge.ts'

const NOW = Date.UTC(2030, 0, 31)
const IDLE_MS = 900_000
const LIVE: JudgedSession = {
  sessionVersion: 3,
  expiresAt: new Date(NOW + 1000),
  stepUpRequiredAt: null,
  revokedAt: null,
  staff: { sessionVersion: 3, status: 'active' },
  user: { disabled: false },
  tenant: { disabled: false },
}
const REVOKED = new Date(NOW - 1)
const older = { staff: { sessionVersion: 4, status: 'active' } } as const
const newer = { staff: { sessionVersion: 2, status: 'active' } } as const
const disabled = { staff: { sessionVersion: 3, status: 'disabled' } } as const

type Changes = Partial<JudgedSession> & { readonly lastSeen?: number }

function judged({ lastSeen = NOW - 1000, ...changes }: Changes) {
  return judgeSession({ ...LIVE, ...changes }, { now: NOW, lastSeen, idleMs: IDLE_MS })
}

function verdictOf(changes: Changes): string {
  const verdict = judged(changes)
  return verdict.kind === 'over' ? `${verdict.code} ${verdict.reason}` : verdict.kind
}

describe('a session', () => {
  const ROWS: readonly (readonly [string, string, Changes])[] = [
    ['that is as it should be', 'live', {}],
    ['of an older version than its staff’s', 'SESSION_INVALIDATED force_logout', older],
    ['of a newer version than its staff’s', 'SESSION_INVALIDATED force_logout', newer],
    [
      'the version is judged before anything else',
      'SESSION_INVALIDATED force_logout',
      { ...older, revokedAt: REVOKED, expiresAt: REVOKED, lastSeen: 0, stepUpRequiredAt: REVOKED },
    ],
    ['that was revoked', 'SESSION_REVOKED manual', { revokedAt: REVOKED }],
    ['that was revoked, before who was disabled', 'SESSION_REVOKED manual', { ...disabled, revokedAt: REVOKED }],
    ['of a disabled member', 'SESSION_INVALIDATED member_disabled', disabled],
    ['of a removed member', 'SESSION_INVALIDATED member_removed', { staff: { sessionVersion: 3, status: 'removed' } }],
    ['of a disabled user', 'SESSION_INVALIDATED member_disabled', { user: { disabled: true } }],
    ['of a disabled tenant', 'SESSION_INVALIDATED member_disabled', { tenant: { disabled: true } }],
    ['1 ms before its end', 'live', { expiresAt: new Date(NOW + 1) }],
    ['at its end', 'SESSION_EXPIRED max_session_life', { expiresAt: new Date(NOW) }],
    ['1 ms before the idle limit', 'live', { lastSeen: NOW - IDLE_MS + 1 }],
    ['at the idle limit', 'SESSION_EXPIRED session_expired', { lastSeen: NOW - IDLE_MS }],
    ['that waits', 'waiting', { stepUpRequiredAt: REVOKED }],
    ['that waits and is over', 'SESSION_EXPIRED max_session_life', { stepUpRequiredAt: REVOKED, expiresAt: REVOKED }],
  ]
  for (const [name, expected, changes] of ROWS) {
    test(`${name}: ${expected}`, () => expect(verdictOf(changes)).toBe(expected))
  }

  test('only idleness may be a stale reading', () => {
    expect(judged({ lastSeen: 0 })).toMatchObject({ idle: true })
    expect(judged({ expiresAt: REVOKED })).not.toHaveProperty('idle')
  })
})
