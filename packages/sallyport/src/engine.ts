/**
 * What every operation can reach: the parts of one instance, wired by `sallyport.ts` and handed down as a first argument.
 *
 * @module
 */

import type { SigningKeys } from './access-tokens/signing-keys.ts'
import type { Refusals } from './audit/refusals.ts'
import type { Sealer } from './audit/sealer.ts'
import type { Mailer } from './directory/mailer.ts'
import type { ObservedRoute } from './evidence/checklist/control.ts'
import type { EventBus } from './internal/events.ts'
import type { Logger } from './internal/logger.ts'
import type { Settings } from './options.ts'
import type { Lineages } from './refresh-tokens/lineages.ts'
import type { RateLimits } from './rate-limits/rate-limits.ts'
import type { Places } from './risk/place.ts'
import type { RiskHealth } from './risk/risk-health.ts'
import type { SecretRing } from './secrets/secret-ring.ts'
import type { KnownTokens } from './sessions/authenticate.ts'
import type { LiveView } from './sessions/live-view.ts'
import type { WriteBehind } from './sessions/write-behind.ts'
import type { Store } from './store/contract/store.ts'

/** The parts of one instance. Nothing is global: two instances in one process do not meet. */
export interface Engine {
  readonly store: Store
  readonly settings: Settings
  readonly secrets: SecretRing
  readonly keys: SigningKeys
  readonly live: LiveView
  readonly knownTokens: KnownTokens
  readonly lineages: Lineages
  readonly writeBehind: WriteBehind
  /** Where refusals go that nobody was authenticated for. */
  readonly refusals: Refusals
  /** Moves audit rows into the tamper-evident log, and signs it. */
  readonly sealer: Sealer
  /** The routes of the HTTP API, each with what guards it: what the checklist holds its statements against. */
  readonly routes: readonly ObservedRoute[]
  readonly rateLimits: RateLimits
  readonly events: EventBus
  readonly places: Places
  readonly riskHealth: RiskHealth
  readonly mailer: Mailer
  readonly log: Logger
}
