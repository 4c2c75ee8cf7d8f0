/**
 * Tells addresses of the public internet from those that have no place.
 *
 * @module
 */

import { BlockList, isIPv4, isIPv6 } from 'node:net'

const elsewhere = new BlockList()
// Loopback, private (RFC 1918), shared (RFC 6598), link-local, "this" network, documentation, benchmarks, multicast, reserved.
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  elsewhere.addSubnet(network, prefix, 'ipv4')
}
// Unspecified and loopback, unique local (RFC 4193), link-local, multicast.
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  elsewhere.addSubnet(network, prefix, 'ipv6')
}

export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !elsewhere.check(address, 'ipv4')
  return isIPv6(address) && !elsewhere.check(address, 'ipv6')
}
