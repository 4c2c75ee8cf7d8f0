/**
 * What the operations of the token-level API take and answer, for hosts that bring their own sign-in and sessions.
 *
 * All of them take the raw token. A stored hash is never taken for a credential: whoever reads the table holds nothing.
 *
 * @module
 */

import type { TenantId, UserId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { Duration } from '../../internal/duration.ts'
import { toMs } from '../../internal/duration.ts'
import type { RequestFacts } from '../../internal/request-facts.ts'

/** Whose token it is. `visitorId` is the device id that a risk score may compare. */
export interface TokenOwner {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly visitorId?: string | undefined
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
}

/** A host's session has no key and no cookie of ours. */
export const NO_BINDING = { type: 'none' } as const

export function requestOf({ visitorId, ipAddress, userAgent }: TokenOwner): RequestFacts {
  return { correlationId: newId<string>(), deviceFingerprint: visitorId, ipAddress, userAgent }
}

/** @throws TypeError for what is no duration. */
export function ttlOf(ttl: Duration): number {
  const ms = toMs(ttl)
  if (ms === undefined) throw new TypeError('ttl must be a duration such as "3d", or a number of milliseconds')
  return ms
}
