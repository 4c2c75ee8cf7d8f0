/**
 * Scores a sign-in whose password was right.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { StaffId, TenantId, UserId } from '../ids.ts'
import { deviceDigest, deviceName } from '../internal/device-digest.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { presentedDevice } from './device.ts'
import type { Place } from './facts.ts'
import type { Judgement } from './judge.ts'
import { judgeRisk } from './judge.ts'

/** The reason of a step-up that the cap of sessions asks for; no signal, and of no points. */
export const SESSION_LIMIT = 'SESSION_LIMIT'

export interface JudgedSignIn extends Judgement {
  readonly place: Place
  readonly deviceTrusted: boolean
  /** Whether the member has as many live sessions as they may, and no second factor was given lately. */
  readonly overCap: boolean
}

/** @throws SallyportError `UNAVAILABLE` where the facts or the score are not to be had. */
export async function judgeSignIn(
  engine: Engine,
  member: { readonly tenantId: TenantId; readonly userId: UserId; readonly staffId: StaffId },
  request: RequestFacts,
): Promise<JudgedSignIn> {
  const { settings, store, places } = engine
  const { thresholds, graceAfterMfaMs } = settings.risk
  const device = presentedDevice(request)
  const name = deviceName(device)
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, member.tenantId)
  const [place, seen] = await Promise.all([
    places.of(request),
    store.risk.signInFacts({
      ...member,
      device: name === undefined ? undefined : deviceDigest(name),
      idleMs,
      maxSessionLifeMs,
      rapidWindowMs: thresholds.rapidWindowMs,
    }),
  ])
  const recentMfa = isRecent(seen.lastMfaAt, seen.now, graceAfterMfaMs)
  const judged = await judgeRisk(engine, {
    at: 'sign-in',
    now: seen.now,
    request: { ipAddress: request.ipAddress ?? null, userAgent: request.userAgent ?? null, device, place },
    history: seen.history,
    session: null,
    liveSessions: seen.liveSessions,
    youngSessions: seen.youngSessions,
    recentFailures: seen.recentFailures,
    sharedGenerations: 0,
    recentMfa,
    deviceTrusted: seen.deviceTrusted,
    thresholds,
  })
  const { max } = settings.sessionLimit
  return {
    ...judged,
    place,
    deviceTrusted: seen.deviceTrusted,
    overCap: max !== undefined && !recentMfa && seen.liveSessions >= max,
  }
}

/** Whether a second factor was given within the grace. */
export function isRecent(lastMfaAt: Date | null, now: Date, graceMs: number): boolean {
  return lastMfaAt !== null && now.getTime() - lastMfaAt.getTime() < graceMs
}
