/**
 * Adds up what the audit log counted: sign-ins, refreshes and step-ups by what came of them.
 *
 * @module
 */

import type { EventCount } from '../store/contract/overview.ts'

export interface SignInTally {
  success: number
  /** Wrong passwords, unknown addresses, limits: whatever ended it before a session, and was no stop. */
  failed: number
  /** Held until a second factor was given. One that then was is in `success` too. */
  stepUp: number
  /** Stopped for their risk. */
  blocked: number
}

export interface RefreshTally {
  rotated: number
  /** An honest retry, answered with the same successor. */
  replayed: number
  refused: number
  /** A spent token that came back: a theft, contained. */
  reused: number
}

export interface StepUpTally {
  asked: number
  passed: number
  failed: number
}

export interface Tally {
  readonly signIns: SignInTally
  readonly refreshes: RefreshTally
  readonly stepUps: StepUpTally
}

export function emptyTally(): Tally {
  return {
    signIns: { success: 0, failed: 0, stepUp: 0, blocked: 0 },
    refreshes: { rotated: 0, replayed: 0, refused: 0, reused: 0 },
    stepUps: { asked: 0, passed: 0, failed: 0 },
  }
}

/** Adds an event where it belongs; most belong nowhere. */
export function addTo({ signIns, refreshes, stepUps }: Tally, event: EventCount): void {
  const { count } = event
  const signIn = signInOf(event)
  if (signIn !== undefined) signIns[signIn] += count
  const refresh = refreshOf(event)
  if (refresh !== undefined) refreshes[refresh] += count
  if (isDemand(event)) stepUps.asked += count
  if (event.action === 'STEP_UP_VERIFIED') stepUps[event.outcome === 'SUCCESS' ? 'passed' : 'failed'] += count
}

/** Whether it is a request that was turned away for good: neither one that may go on, nor one that a tab sent too early. */
export function isRefusal({ outcome, reason }: EventCount): boolean {
  return outcome === 'FAIL' && reason !== '' && reason !== 'STEP_UP_REQUIRED' && reason !== 'RETRY'
}

function signInOf({ action, outcome, reason, detail }: EventCount): keyof SignInTally | undefined {
  switch (action) {
    case 'AUTH_LOGIN':
      return outcome === 'SUCCESS' ? 'success' : 'failed'
    case 'AUTH_LOGIN_FAILED':
      return reason === 'SESSION_BLOCKED' ? 'blocked' : 'failed'
    case 'SUSPICIOUS_LOGIN_DETECTED':
      return detail === 'sign_in' ? 'blocked' : undefined
    case 'STEP_UP_REQUIRED':
      if (detail !== 'sign_in') return undefined
      return reason === 'SESSION_BLOCKED' ? 'blocked' : 'stepUp'
    default:
      return undefined
  }
}

function refreshOf({ action, outcome, reason, detail }: EventCount): keyof RefreshTally | undefined {
  switch (action) {
    case 'AUTH_TOKEN_REFRESH':
      if (outcome === 'FAIL') return 'refused'
      return detail === '' ? 'rotated' : 'replayed'
    case 'AUTH_REFRESH_FAILED':
      return reason === 'RETRY' ? undefined : 'refused'
    case 'SUSPICIOUS_LOGIN_DETECTED':
      if (reason === 'REFRESH_TOKEN_REUSED') return 'reused'
      return detail === 'refresh' ? 'refused' : undefined
    case 'STEP_UP_REQUIRED':
      return detail === 'session_risk' || detail === 'waiting' ? 'refused' : undefined
    default:
      return undefined
  }
}

/** Any request that was answered with the demand for a step-up; a session that waits is asked once. */
function isDemand({ outcome, reason, detail }: EventCount): boolean {
  return outcome === 'FAIL' && reason === 'STEP_UP_REQUIRED' && detail !== 'waiting'
}
