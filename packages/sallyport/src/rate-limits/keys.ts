/**
 * Under what name something is counted: short, of one length, and saying nothing of whom.
 *
 * @module
 */

import { createHmac, hash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { Layer, Limited } from './rules.ts'

export interface Counted {
  /** As the server is entitled to believe it; `undefined` where it is unknown. */
  readonly address?: string | undefined
  /** The account, token or session: whatever form it has. */
  readonly subject?: string | undefined
}

/** What one layer counts by, and the names that it is counted under. */
export interface Keyed {
  /** For the memory of this process, made as cheaply as may be: every request has one. No token is kept by it. */
  readonly here: string
  /** For a store that others may read. Keyed by the server's secret: a table of limits is no list of who tried to sign in. */
  everywhere(): string
}

/** The names of one layer; `undefined` where the request has not what it counts by. */
export function keyOf(ring: SecretRing, what: Limited, layer: Layer, { address, subject }: Counted): Keyed | undefined {
  const parts: string[] = []
  if (layer !== 'subject') parts.push(address === undefined ? '' : networkOf(address))
  if (layer !== 'address') parts.push(subject ?? '')
  if (parts.includes('')) return undefined
  const text = JSON.stringify(parts)
  return {
    here: layer === 'address' ? text : hash('sha256', text, 'base64'),
    everywhere() {
      const mac = createHmac('sha256', ring.signing.pepper)
      mac.update(JSON.stringify(['rate limit v1', what, layer, ...parts]))
      return `${what}:${layer}:${mac.digest('base64url').slice(0, 22)}`
    },
  }
}

/** IPv4 as it is; IPv6 by its /64, which is what one customer has, so that nobody has 2^64 addresses to try from. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  // A dotted end stands for two groups; it is never within the first four of what clientAddress lets through.
  const given = before.length + after.length + (address.includes('.') ? 1 : 0)
  const groups = tail === undefined ? before : [...before, ...Array<string>(Math.max(0, 8 - given)).fill('0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
