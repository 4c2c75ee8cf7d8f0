/**
 * A session in the words of the API: what a person recognises, and no token.
 *
 * @module
 */

import { UAParser } from 'my-ua-parser'
import type { SessionId, UserId } from '../ids.ts'
import type { RevokeReason } from '../store/contract/ended-sessions.ts'

/** What a description needs of a session. */
export interface DescribableSession {
  readonly id: SessionId
  readonly kind: 'login' | 'impersonation'
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  readonly impersonator?: { readonly id: UserId; readonly name: string } | null
}

/** A device as a person would name it; `null` where nothing is known. */
export interface Device {
  readonly browser: string | null
  readonly os: string | null
  readonly type: 'desktop' | 'mobile' | 'tablet' | 'bot' | 'other'
}

export interface SessionDescription {
  readonly id: SessionId
  readonly kind: 'login' | 'impersonation'
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly expiresAt: string
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly device: Device
  readonly isCurrent: boolean
  readonly revokedAt: string | null
  readonly revokeReason: RevokeReason | null
  /** Who acts, in an impersonation. */
  readonly impersonator?: { readonly id: UserId; readonly name: string }
}

/** @param currentSessionId The caller's own; the flag is computed for the caller and is no column. */
export function describeSession(session: DescribableSession, currentSessionId?: SessionId): SessionDescription {
  return {
    id: session.id,
    kind: session.kind,
    createdAt: session.createdAt.toISOString(),
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    ipAddress: session.ipAddress,
    country: session.country,
    city: session.city,
    userAgent: session.userAgent,
    device: describeDevice(session.userAgent),
    isCurrent: session.id === currentSessionId,
    revokedAt: session.revokedAt?.toISOString() ?? null,
    revokeReason: session.revokeReason,
    ...(session.impersonator != null && { impersonator: session.impersonator }),
  }
}

/** Programs that no user-agent library names. */
const BOT = /bot\b|crawl|spider|headless|^(?:curl|wget|python|go-http|java|node|undici|axios|okhttp|postman)/i

const described = new Map<string, Device>()
const MAX_DESCRIBED = 2000

/** Names browser, system and kind of device from a user agent. */
export function describeDevice(userAgent: string | null): Device {
  if (userAgent === null || userAgent === '') return { browser: null, os: null, type: 'other' }
  const known = described.get(userAgent)
  if (known !== undefined) return known
  const device = parse(userAgent)
  // The same few thousand user agents come again and again; strangers' inventions must not fill the memory.
  if (described.size >= MAX_DESCRIBED) described.clear()
  described.set(userAgent, device)
  return device
}

function parse(userAgent: string): Device {
  const { browser, os, device } = new UAParser(userAgent).getResult()
  const named = withVersion(browser.name, browser.major)
  const type = BOT.test(userAgent)
    ? 'bot'
    : device.type === 'mobile' || device.type === 'tablet'
      ? device.type
      : named === null
        ? 'other'
        : 'desktop'
  return { browser: named ?? programName(userAgent), os: withVersion(os.name, os.version), type }
}

function withVersion(name: string | undefined, version: string | undefined): string | null {
  if (name === undefined || name === '') return null
  return version === undefined || version === '' ? name : `${name} ${version}`
}

/** `curl/8.5.0` reads as it is. */
function programName(userAgent: string): string | null {
  return /^[A-Za-z][\w.-]{0,40}(?:\/[\w.-]{1,20})?/.exec(userAgent)?.[0] ?? null
}
