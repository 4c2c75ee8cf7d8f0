/**
 * Scores a refresh: from the token's own facts where nothing is new, with one more round trip where something is.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { ChallengeId } from '../ids.ts'
import { deviceDigest, deviceName } from '../internal/device-digest.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { boundTo, isOfToken, readStepUpToken } from '../step-up/step-up-token.ts'
import type { RefreshFacts, RefreshSession, SessionMark } from '../store/contract/tokens.ts'
import { presentedDevice } from './device.ts'
import type { Place, RiskFacts } from './facts.ts'
import type { Judgement } from './judge.ts'
import { judgeRisk } from './judge.ts'
import { isRecent, SESSION_LIMIT } from './judge-sign-in.ts'
import { newCity } from './signals/new-city.ts'
import { newCountry } from './signals/new-country.ts'
import { newDevice } from './signals/new-device.ts'
import { SIGNALS } from './signals.ts'

export interface JudgedRefresh extends Judgement {
  readonly place: Place
  /** The name of the presented device; `undefined` where the client showed none. */
  readonly device: string | undefined
  /** What the session is to be known by once the refresh passes, where that is something new. */
  readonly mark: SessionMark | undefined
  /** The step-up that this very refresh waited for, passed and not used yet. */
  readonly stepUp: ChallengeId | undefined
}

interface Refresh {
  readonly facts: RefreshFacts & { readonly session: RefreshSession }
  readonly tokenHash: Uint8Array
  readonly request: RequestFacts
  readonly stepUpToken: string | undefined
}

/** @throws SallyportError `UNAVAILABLE` where the score is not to be had: nothing is consumed. */
export async function judgeRefresh(engine: Engine, refresh: Refresh): Promise<JudgedRefresh> {
  const { facts, request, tokenHash } = refresh
  const { session } = facts
  const { risk } = engine.settings
  const shown = presentedDevice(request)
  const device = deviceName(shown)
  const place =
    request.ipAddress === (session.ipAddress ?? undefined) && session.country !== null
      ? placeOf(session)
      : await engine.places.of(request)
  const own = {
    lastSeenAt: session.lastSeenAt,
    ipAddress: session.ipAddress,
    userAgent: session.userAgent,
    fingerprint: session.deviceFingerprint,
    cookieHash: session.deviceCookieHash,
    delivery: session.delivery,
    ...placeOf(session),
  }
  const known: RiskFacts = {
    at: 'refresh',
    now: facts.now,
    request: { ipAddress: request.ipAddress ?? null, userAgent: request.userAgent ?? null, device: shown, place },
    history: [own],
    session: own,
    liveSessions: session.liveSessions,
    youngSessions: session.youngSessions,
    recentFailures: session.recentFailures,
    // In a row up to this very generation: one that nobody shared ends the row.
    sharedGenerations: facts.family.sharedGeneration === facts.token.generation ? facts.family.sharedRun : 0,
    recentMfa: isRecent(session.user.lastMfaAt, facts.now, risk.graceAfterMfaMs),
    deviceTrusted: session.deviceTrusted,
    thresholds: risk.thresholds,
  }
  // Against the session alone, which is part of the history: what is nothing new to it is nothing new.
  const first = await judgeRisk(engine, known, SIGNALS)
  const waiting = session.stepUpRequiredAt !== null
  const overCap = isOverCap(engine, known)
  const asksMore = first.decision !== 'pass' || first.wouldBe !== undefined || first.reasons.some(isOfHistory)
  if (!asksMore && !waiting && !overCap && !risk.hasOwnSignals) {
    return { place, device, stepUp: undefined, mark: markOf(known, false), ...first }
  }
  const { history, stepUp } = await engine.store.risk.refreshHistory({
    tenantId: facts.tenantId,
    userId: facts.userId,
    staffId: session.staffId,
    sessionId: session.id,
    presented: deviceDigest(tokenHash),
    boundTo: await bindingOf(engine, refresh, device),
  })
  const judged = atCap(await judgeRisk(engine, { ...known, history }), overCap)
  const passed = stepUp !== null
  return { place, device, stepUp: stepUp ?? undefined, mark: markOf(known, passed), ...judged }
}

/** Whether more of the history could take a reason back. */
function isOfHistory(signal: string): boolean {
  return signal === newDevice.name || signal === newCountry.name || signal === newCity.name
}

/** The cap was lowered since, or is new: asked for where the policy asks, unless a second factor was given lately. */
function isOverCap({ settings }: Pick<Engine, 'settings'>, { liveSessions, recentMfa }: RiskFacts): boolean {
  const { max, policy } = settings.sessionLimit
  return max !== undefined && policy === 'step-up' && !recentMfa && liveSessions > max
}

function atCap(judged: Judgement, overCap: boolean): Judgement {
  if (!overCap || judged.decision !== 'pass') return judged
  return { ...judged, decision: 'step-up', reasons: [SESSION_LIMIT, ...judged.reasons] }
}

/** What a step-up must have been bound to for this request to use it: its device, or without one the very token that it was passed with. */
async function bindingOf(engine: Engine, refresh: Refresh, device: string | undefined): Promise<string | undefined> {
  if (device !== undefined) return deviceDigest(device)
  if (refresh.stepUpToken === undefined) return undefined
  try {
    const claims = await readStepUpToken(engine, refresh.stepUpToken)
    const ours = claims.sid === refresh.facts.session.id && isOfToken(claims, refresh.tokenHash)
    return ours && claims.device === undefined ? boundTo(claims) : undefined
  } catch {
    // As good as none: the refresh is scored anew.
    return undefined
  }
}

function placeOf({ country, city, latitude, longitude }: RefreshSession) {
  return { country, city, latitude, longitude }
}

/** @param provenAnew Whether a step-up was passed: then what was shown replaces what was known, also where nothing was shown. */
function markOf({ request, session }: RiskFacts, provenAnew: boolean): SessionMark | undefined {
  if (session === null) return undefined
  const { ipAddress, userAgent, device, place } = request
  const deviceFingerprint = provenAnew ? device.fingerprint : (device.fingerprint ?? session.fingerprint)
  const deviceCookieHash = device.cookieHash ?? session.cookieHash
  const same =
    ipAddress === session.ipAddress &&
    userAgent === session.userAgent &&
    place.country === session.country &&
    place.city === session.city &&
    deviceFingerprint === session.fingerprint &&
    deviceCookieHash === session.cookieHash
  return same ? undefined : { ...place, ipAddress, userAgent, deviceFingerprint, deviceCookieHash }
}
