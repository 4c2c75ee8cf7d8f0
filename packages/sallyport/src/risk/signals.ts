/**
 * The built-in signals that are weighed, in the order in which reasons are told.
 *
 * @module
 */

import type { Signal } from './facts.ts'
import { addressChanged } from './signals/address-changed.ts'
import { deviceMismatch } from './signals/device-mismatch.ts'
import { impossibleTravel } from './signals/impossible-travel.ts'
import { manyActiveSessions } from './signals/many-active-sessions.ts'
import { newCity } from './signals/new-city.ts'
import { newCountry } from './signals/new-country.ts'
import { newDevice } from './signals/new-device.ts'
import { recentFailures } from './signals/recent-failures.ts'
import { sharedLineage } from './signals/shared-lineage.ts'
import { userAgentChanged } from './signals/user-agent-changed.ts'

export const SIGNALS: readonly Signal[] = [
  newDevice,
  newCountry,
  newCity,
  manyActiveSessions,
  impossibleTravel,
  deviceMismatch,
  addressChanged,
  sharedLineage,
  userAgentChanged,
  recentFailures,
]
