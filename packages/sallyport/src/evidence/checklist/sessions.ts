/**
 * Controls of sessions and tokens.
 *
 * @module
 */

import type { Control } from './control.ts'
import { passIf, passUnless } from './control.ts'

const MINUTE = 60_000
const DAY = 86_400_000

const SESSIONS = '/compliance/export/user-sessions.csv'
const TOKENS = '/compliance/export/refresh-tokens.csv'
const EVENTS = '/audit/events'

export const sessionControls: readonly Control[] = [
  {
    id: 'short-access-tokens',
    statement: 'Access tokens are short-lived.',
    criteria: ['CC6.1'],
    link: '/security/settings',
    judge: ({ settings: { accessTtlMs } }) =>
      passUnless(
        { broken: accessTtlMs > 60 * MINUTE, doubtful: accessTtlMs > 15 * MINUTE },
        { accessTokenMinutes: accessTtlMs / MINUTE, atMostMinutes: 15 },
      ),
  },
  {
    id: 'rotation-on-every-use',
    statement: 'A refresh token is replaced at every use, and a line of tokens has one live end.',
    criteria: ['CC6.1'],
    link: TOKENS,
    judge: ({ counts: { forked_generations }, indexes, settings: { retry } }) =>
      passIf(forked_generations === 0 && indexes.includes('refresh_tokens_lineage'), {
        familiesWithTwoLiveTokens: forked_generations,
        uniqueByGeneration: indexes.includes('refresh_tokens_lineage'),
        mode: retry.mode,
      }),
  },
  {
    id: 'reuse-detection',
    statement: 'A refresh token that comes back after its use is detected and recorded.',
    criteria: ['CC6.6', 'CC7.2'],
    link: `${EVENTS}?action=SUSPICIOUS_LOGIN_DETECTED`,
    judge: ({ counts: { reuses, reuses_without_event }, columns }) =>
      passIf(reuses_without_event === 0 && columns.includes('refresh_tokens.suspicious_reuse_at?'), {
        reuses,
        reusesWithoutEvent: reuses_without_event,
      }),
  },
  {
    id: 'family-revocation',
    statement: 'When a family of tokens ends, no token of it lives on.',
    criteria: ['CC6.1', 'CC6.6'],
    link: TOKENS,
    judge: ({ counts: { live_tokens_of_ended_families }, settings: { reuse } }) =>
      passIf(live_tokens_of_ended_families === 0, {
        liveTokensOfEndedFamilies: live_tokens_of_ended_families,
        reach: reuse.contain,
      }),
  },
  {
    id: 'active-session-tracking',
    statement: 'Every live session is known, with when and from where it was last seen.',
    criteria: ['CC6.1'],
    link: SESSIONS,
    judge: ({ counts: { live_sessions }, columns }) => {
      const missing = ['last_seen_at', 'ip_address?', 'user_agent?'].filter(
        (name) => !columns.includes(`user_sessions.${name}`),
      )
      return passIf(missing.length === 0, { liveSessions: live_sessions, missingColumns: missing })
    },
  },
  {
    id: 'forced-logout-by-hand',
    statement: 'A member can be forced out of every session, under a second factor, on record.',
    criteria: ['CC6.2', 'CC6.3', 'CC7.4'],
    link: `${EVENTS}?action=SESSION_INVALIDATED`,
    judge: ({ routes }) => {
      const route = routes.find(({ path }) => path.endsWith('/security/force-logout/:userId'))
      return passIf(
        route?.permission === true && route.stepUp === 'force_logout' && route.actions.includes('SESSION_INVALIDATED'),
        {
          route: route === undefined ? null : `${route.method} ${route.path}`,
          stepUp: route?.stepUp ?? null,
        },
      )
    },
  },
  {
    id: 'forced-logout-on-events',
    statement: 'Security events end sessions, and each end is on record.',
    criteria: ['CC6.2', 'CC7.4'],
    link: `${EVENTS}?action=SESSION_REVOKED`,
    judge: ({ counts: { ended_sessions_without_event } }) =>
      passIf(ended_sessions_without_event === 0, {
        endedSessionsWithoutEvent: ended_sessions_without_event,
        looked: 'the newest 1000',
      }),
  },
  {
    id: 'expired-session-cleanup',
    statement: 'Sessions that have run out are ended.',
    criteria: ['CC6.1'],
    link: SESSIONS,
    judge: ({ counts: { sessions_past_end } }) =>
      passIf(sessions_past_end === 0, { sessionsPastTheirEnd: sessions_past_end }),
  },
  {
    id: 'hashed-tokens',
    statement: 'Refresh tokens are stored as SHA-256 hashes alone.',
    criteria: ['CC6.1'],
    link: TOKENS,
    judge: ({ counts: { tokens_unhashed }, columns }) => {
      const readable = columns.filter((name) => /^refresh_tokens\.(?:raw_|plain_)?token\??$/.test(name))
      return passIf(tokens_unhashed === 0 && readable.length === 0, {
        tokensWithoutHash: tokens_unhashed,
        readableColumns: readable,
      })
    },
  },
  {
    id: 'unique-hash',
    statement: 'No two refresh tokens have the same hash: the database refuses it.',
    criteria: ['CC6.1'],
    link: TOKENS,
    judge: ({ indexes }) =>
      passIf(indexes.includes('refresh_tokens_tenant_id_token_hash_key'), {
        index: 'refresh_tokens_tenant_id_token_hash_key',
      }),
  },
  {
    id: 'token-families',
    statement: 'Every refresh token belongs to a family that began with one sign-in.',
    criteria: ['CC6.1'],
    link: TOKENS,
    judge: ({ counts: { tokens_of_no_family } }) =>
      passIf(tokens_of_no_family === 0, { tokensOfNoFamily: tokens_of_no_family }),
  },
  {
    id: 'escalation',
    statement: 'A theft ends more than the stolen line of tokens.',
    criteria: ['CC6.6', 'CC7.4'],
    link: '/security/settings',
    judge: ({ settings: { reuse } }) =>
      passUnless(
        { broken: false, doubtful: reuse.contain === 'family' },
        { reach: reuse.contain, revokedToken: reuse.revoked },
      ),
  },
  {
    id: 'expired-tokens-revoked',
    statement: 'Refresh tokens that have run out are revoked without anybody asking.',
    criteria: ['CC6.1'],
    link: `${EVENTS}?action=SESSION_INVALIDATED`,
    judge: ({ counts: { live_tokens_past_expiry }, settings: { refreshTtlMs } }) =>
      passIf(live_tokens_past_expiry === 0, {
        liveTokensPastExpiry: live_tokens_past_expiry,
        refreshTokenDays: refreshTtlMs / DAY,
      }),
  },
]
