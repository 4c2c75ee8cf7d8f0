/**
 * Controls of risk, step-up, suspicious sign-ins, IP rules and impersonation.
 *
 * @module
 */

import { BUILT_IN_PURPOSES } from '../../step-up/purposes.ts'
import type { Control, Observed } from './control.ts'
import { passIf, passUnless } from './control.ts'

const EVENTS = '/audit/events'
const MINUTE = 60_000

/** Routes whose change must not be made on a session's word alone. */
const GUARDED = [
  'revoke_session',
  'revoke_other_sessions',
  'force_logout',
  'data_export',
  'team_change',
  'security_settings',
]

function guardedBy(routes: Observed['routes']): readonly string[] {
  return [...new Set(routes.flatMap(({ stepUp }) => (stepUp === undefined ? [] : [stepUp])))].sort()
}

function served(routes: Observed['routes'], part: string): readonly string[] {
  return routes.filter(({ path }) => path.includes(part)).map(({ method, path }) => `${method} ${path}`)
}

export const detectionControls: readonly Control[] = [
  {
    id: 'risk-scoring',
    statement: 'Sign-ins and refreshes are scored for risk.',
    criteria: ['CC6.6', 'CC7.2'],
    link: `${EVENTS}?action=SUSPICIOUS_LOGIN_DETECTED`,
    judge: ({ settings: { risk }, counts: { suspicious_sign_ins } }) =>
      passUnless(
        { broken: risk.mode === 'off', doubtful: risk.mode === 'monitor' },
        { mode: risk.mode, suspiciousSignIns: suspicious_sign_ins },
      ),
  },
  {
    id: 'otp-enforcement',
    statement: 'Sensitive operations ask for a second factor, and members have one.',
    criteria: ['CC6.1', 'CC6.6'],
    link: '/compliance/export/staff-access.csv',
    judge: ({ routes, counts: { factors, step_ups } }) => {
      const purposes = guardedBy(routes)
      const missing = GUARDED.filter((purpose) => !purposes.includes(purpose))
      return passUnless(
        { broken: missing.length > 0, doubtful: factors === 0 },
        { purposes, purposesWithoutRoute: missing, membersWithFactor: factors, stepUps: step_ups },
      )
    },
  },
  {
    id: 'blocking',
    statement: 'A theft is stopped at once: what it touched stays ended.',
    criteria: ['CC6.6', 'CC7.4'],
    link: '/compliance/export/security-events.csv',
    judge: ({ counts: { reuses, live_tokens_of_ended_families } }) =>
      passIf(live_tokens_of_ended_families === 0, { reuses, liveTokensOfEndedFamilies: live_tokens_of_ended_families }),
  },
  {
    id: 'challenges-audited',
    statement: 'Challenges are on record and bound in time.',
    criteria: ['CC6.1'],
    link: '/compliance/export/step-up-challenges.csv',
    judge: ({ counts: { challenges_without_end, challenges_verified_late }, settings: { stepUpWindowMs } }) =>
      passIf(challenges_without_end === 0 && challenges_verified_late === 0 && stepUpWindowMs <= 60 * MINUTE, {
        challengesLongerThanAnHour: challenges_without_end,
        challengesMetTooLate: challenges_verified_late,
        windowMinutes: stepUpWindowMs / MINUTE,
      }),
  },
  {
    id: 'suspicious-sign-ins',
    statement: 'Suspicious sign-ins are detected and on record.',
    criteria: ['CC7.2', 'CC7.3'],
    link: `${EVENTS}?action=SUSPICIOUS_LOGIN_DETECTED`,
    judge: ({ counts: { suspicious_sign_ins, reuses_without_event } }) =>
      passIf(reuses_without_event === 0, {
        suspiciousSignIns: suspicious_sign_ins,
        theftsWithoutEvent: reuses_without_event,
      }),
  },
  {
    id: 'reuse-alerts',
    statement: 'A reuse raises an alert that somebody gets to see.',
    criteria: ['CC7.2', 'CC7.3'],
    link: '/compliance/export/security-events.csv',
    judge: ({ counts: { reuses, reuses_without_event } }) =>
      passUnless(
        { broken: reuses_without_event > 0, doubtful: reuses > 0 },
        { reuses, reusesWithoutEvent: reuses_without_event },
      ),
  },
  {
    id: 'ip-rules',
    statement: 'Access can be limited by address, and each change of a rule is on record.',
    criteria: ['CC6.6'],
    link: '/security/ip-rules',
    judge: ({ routes, counts: { ip_rules } }) => {
      const paths = served(routes, '/security/ip-rules')
      const unguarded = routes.filter(
        ({ path, mutates, stepUp }) => path.endsWith('/security/ip-rules') && mutates && stepUp === undefined,
      )
      return passUnless(
        { broken: unguarded.length > 0, doubtful: paths.length === 0 },
        { routes: paths, changesOnRecord: ip_rules },
      )
    },
  },
  {
    id: 'impersonation-explicit',
    statement: 'Impersonation has a reason and a person behind it, ends by itself, and is never of an owner.',
    criteria: ['CC6.1', 'CC6.3'],
    link: `${EVENTS}?action=IMPERSONATION_STARTED`,
    judge: ({
      counts: { impersonations, impersonations_of_owners, impersonations_without_reason, impersonations_open_too_long },
    }) =>
      passIf(
        impersonations_of_owners === 0 && impersonations_without_reason === 0 && impersonations_open_too_long === 0,
        {
          impersonations,
          ofOwners: impersonations_of_owners,
          withoutReason: impersonations_without_reason,
          longerThanEightHours: impersonations_open_too_long,
        },
      ),
  },
  {
    id: 'impersonation-exit',
    statement: 'Impersonation is shown to who does it, can be left at any time, and both ends are on record.',
    criteria: ['CC6.3'],
    link: `${EVENTS}?action=IMPERSONATION_ENDED`,
    judge: ({ routes }) => {
      const start = routes.find(({ path }) => path.endsWith('/security/impersonate/:staffId'))
      const exit = routes.find(({ path }) => path.endsWith('/security/impersonate/exit'))
      const recorded =
        start?.actions.includes('IMPERSONATION_STARTED') === true &&
        exit?.actions.includes('IMPERSONATION_ENDED') === true
      return passUnless(
        { broken: start !== undefined && !recorded, doubtful: start === undefined },
        {
          start: start?.path ?? null,
          exit: exit?.path ?? null,
          stepUp: start?.stepUp ?? null,
          knownPurpose: (BUILT_IN_PURPOSES as readonly string[]).includes('impersonate'),
        },
      )
    },
  },
]
