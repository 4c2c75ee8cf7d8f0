/**
 * A signal of the host's that alone is enough for a stop, for tests that are about what follows.
 *
 * @module
 */

import type { Signal } from '../../packages/sallyport/src/risk/facts.ts'

/** A device that the host knows to be stolen. */
export const STOLEN = 'stolen'

export const stolenDevice: Signal = {
  name: 'STOLEN_DEVICE',
  points: 100,
  soft: false,
  find: ({ request }) => (request.device.fingerprint === STOLEN ? { evidence: {} } : undefined),
}
