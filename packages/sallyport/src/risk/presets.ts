/**
 * Limits of time that belong together, by the name of what asks for them.
 *
 * @module
 */

import type { Duration } from '../internal/duration.ts'

/** The limits that a preset sets, and that it lets nobody weaken. */
export interface TimeLimits {
  /** The whole life of a session. */
  readonly maxSessionLife: Duration
  /** How long it may go unused: an unused refresh token lives as long. */
  readonly inactivity: Duration
}

/** `nist-aal2` and `nist-aal3` are those of NIST SP 800-63B-4, sections 2.2.3 and 2.3.3. */
export const PRESETS = {
  standard: { maxSessionLife: '30d', inactivity: '3d' },
  'nist-aal2': { maxSessionLife: '24h', inactivity: '1h' },
  'nist-aal3': { maxSessionLife: '12h', inactivity: '15m' },
} as const satisfies Readonly<Record<string, TimeLimits>>

export type Preset = keyof typeof PRESETS
