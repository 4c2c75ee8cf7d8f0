/**
 * `DEVICE_MISMATCH`: at a refresh, what this session signed in with is missing or different. A stolen token that nobody has used yet
 * betrays itself by nothing else.
 *
 * @module
 */

import type { Signal } from '../facts.ts'

export const deviceMismatch: Signal = {
  name: 'DEVICE_MISMATCH',
  points: 60,
  soft: false,
  find({ session, request: { device } }) {
    if (session === null) return undefined
    const { fingerprint, cookieHash, delivery } = session
    if (fingerprint !== null && device.fingerprint !== fingerprint) {
      return { evidence: { fingerprint: device.fingerprint === null ? 'missing' : 'different' } }
    }
    // A client that is handed its tokens in the body need not have a cookie jar.
    if (delivery === 'cookie' && cookieHash !== null && device.cookieHash !== cookieHash) {
      return { evidence: { cookie: device.cookieHash === null ? 'missing' : 'different' } }
    }
    return undefined
  },
}
