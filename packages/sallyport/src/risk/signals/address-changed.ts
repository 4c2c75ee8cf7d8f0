/**
 * `ADDRESS_CHANGED`: within one session the network is another one.
 *
 * @module
 */

import { networkOf } from '../../audit/flood-gate.ts'
import type { Signal } from '../facts.ts'

export const addressChanged: Signal = {
  name: 'ADDRESS_CHANGED',
  points: 10,
  soft: true,
  find({ session, request: { ipAddress } }) {
    if (session === null || session.ipAddress === null || ipAddress === null) return undefined
    if (session.ipAddress === ipAddress) return undefined
    const [from, to] = [siteOf(session.ipAddress), siteOf(ipAddress)]
    return from === to ? undefined : { evidence: { from, to } }
  },
}

/** The /24 of an IPv4 address, and of an IPv6 one the /48: a home's or an office's whole assignment. */
function siteOf(address: string): string {
  const network = networkOf(address)
  return address.includes(':') ? network.split(':').slice(0, 3).join(':') : network
}
