/**
 * `NEW_DEVICE`: a device is presented, devices are known, and it is none of them.
 *
 * @module
 */

import type { PresentedDevice } from '../../internal/device-digest.ts'
import type { Signal } from '../facts.ts'

export const newDevice: Signal = {
  name: 'NEW_DEVICE',
  points: 30,
  soft: true,
  find({ request: { device }, history }) {
    if (!isShown(device)) return undefined
    const known = history.filter(isShown)
    if (known.length === 0 || known.some((one) => isSame(one, device))) return undefined
    return { evidence: { knownDevices: known.length } }
  },
}

function isShown({ fingerprint, cookieHash }: PresentedDevice): boolean {
  return fingerprint !== null || cookieHash !== null
}

/** Either mark is enough: a person who clears the cookies of a known device keeps its storage, or the other way round. */
function isSame(known: PresentedDevice, { fingerprint, cookieHash }: PresentedDevice): boolean {
  return (
    (cookieHash !== null && known.cookieHash === cookieHash) ||
    (fingerprint !== null && known.fingerprint === fingerprint)
  )
}
