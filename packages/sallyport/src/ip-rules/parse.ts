/**
 * Reads addresses and networks as people type them, strictly, into the one form that rules are kept and compared in.
 *
 * @module
 */

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address as numbers of 32 bits, most significant first: one for IPv4, four for IPv6. IPv4-mapped IPv6 is IPv4. */
export type AddressWords = readonly [number] | readonly [number, number, number, number]

/** A network. */
export interface Cidr {
  /** The one text of it: IPv4 in dotted decimals, IPv6 as RFC 5952 has it, and always a prefix length. */
  readonly text: string
  readonly words: AddressWords
  /** Of 32 or 128 bits. */
  readonly prefix: number
}

export type ParsedCidr =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'invalid'; readonly rule: string }

const NOT_ONE = 'must be an address or a network such as 192.0.2.0/24 or 2001:db8::/32'

/**
 * Reads a network, or an address as the network of it alone.
 *
 * A network with bits set beyond its prefix is refused with the network that was probably meant, since it may as well be the
 * prefix that was mistyped. Zones (`%eth0`) name an interface of one machine and are refused.
 */
export function parseCidr(text: string): ParsedCidr {
  const trimmed = text.trim()
  const slash = trimmed.indexOf('/')
  const address = slash < 0 ? trimmed : trimmed.slice(0, slash)
  if (address.includes('%')) return { kind: 'invalid', rule: 'must not name a zone' }
  const version = isIP(address)
  if (version === 0) return { kind: 'invalid', rule: NOT_ONE }
  const bits = version === 4 ? 32 : 128
  const given = slash < 0 ? bits : prefixOf(trimmed.slice(slash + 1), bits)
  if (given === undefined) return { kind: 'invalid', rule: `must have a prefix length from 0 to ${bits}` }

  const words = parseAddress(address)
  if (words === undefined) return { kind: 'invalid', rule: NOT_ONE }
  const mapped = version === 6 && words.length === 1
  // ::ffff:0:0/90 would be all of IPv4 and a little of IPv6: nobody means that.
  if (mapped && given < 96) {
    return { kind: 'invalid', rule: 'must be written as an IPv4 network, or with a prefix length of 96 or more' }
  }
  const prefix = mapped ? given - 96 : given
  const network = maskWords(words, prefix)
  if (network.some((word, at) => word !== words[at])) {
    return { kind: 'invalid', rule: `has bits set beyond its prefix; the network is ${textOf(network, prefix)}` }
  }
  return { kind: 'cidr', cidr: { text: textOf(network, prefix), words: network, prefix } }
}

/** The address as numbers; `undefined` for what is none, and for one with a zone. It runs for every request, as do those below. */
export function parseAddress(text: string): AddressWords | undefined {
  const ipv4 = parseIpv4(text)
  return ipv4 === undefined ? parseIpv6(text) : [ipv4]
}

/** Groups of up to four hexadecimal digits, one gap at most (RFC 4291, section 2.2). IPv4-mapped it is IPv4. */
function parseIpv6(text: string): AddressWords | undefined {
  const groups: number[] = []
  let gap = text.startsWith('::') ? 0 : -1
  let at = gap === 0 ? 2 : 0
  while (at < text.length) {
    const start = at
    let value = 0
    for (let digit = hexOf(text.charCodeAt(at)); digit >= 0 && at - start < 5; digit = hexOf(text.charCodeAt(++at))) {
      value = value * 16 + digit
    }
    const next = text.charCodeAt(at)
    if (next === DOT) {
      // The last two groups may be written as IPv4.
      const tail = parseIpv4(text.slice(start))
      if (tail === undefined) return undefined
      groups.push(tail >>> 16, tail & 0xffff)
      break
    }
    if (at === start || at - start > 4) return undefined
    groups.push(value)
    if (at === text.length) break
    if (next !== COLON || ++at === text.length) return undefined
    if (text.charCodeAt(at) !== COLON) continue
    if (gap >= 0) return undefined
    gap = groups.length
    at++
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined
  if (gap >= 0) groups.splice(gap, 0, ...ZEROS.slice(groups.length))
  const word = (first: number): number => (((groups[first] as number) << 16) | (groups[first + 1] as number)) >>> 0
  const words = [word(0), word(2), word(4), word(6)] as const
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? [words[3]] : words
}

const COLON = 58
const DOT = 46
const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0]

/** The value of a hexadecimal digit by its code; -1 for what is none. */
function hexOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** Dotted decimals, four of them, without leading zeros (which some readers take for octal). */
function parseIpv4(text: string): number | undefined {
  let value = 0
  let part = -1
  let parts = 0
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? 46 : text.charCodeAt(at)
    if (code === 46) {
      if (part < 0 || ++parts > 4) return undefined
      value = value * 256 + part
      part = -1
    } else if (code >= 48 && code <= 57 && part !== 0) {
      part = part < 0 ? code - 48 : part * 10 + (code - 48)
      if (part > 255) return undefined
    } else {
      return undefined
    }
  }
  return parts === 4 ? value : undefined
}

function prefixOf(text: string, bits: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined
  const prefix = Number(text)
  return prefix <= bits ? prefix : undefined
}

/** The words with everything beyond the prefix cleared. */
export function maskWords<W extends AddressWords>(words: W, prefix: number): W {
  return words.map((word, at) => {
    const kept = Math.min(32, Math.max(0, prefix - at * 32))
    return kept === 0 ? 0 : (word & (0xffffffff << (32 - kept))) >>> 0
  }) as unknown as W
}

function textOf(words: AddressWords, prefix: number): string {
  return `${addressText(words)}/${prefix}`
}

function addressText(words: AddressWords): string {
  const bytes = words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255])
  return words.length === 1 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String()
}

/** An address in the one form that rules and logs use, IPv4-mapped IPv6 as IPv4; `undefined` for what is none. */
export function normalAddress(text: string): string | undefined {
  // Strict as it is read, IPv4 has one spelling.
  if (parseIpv4(text) !== undefined) return text
  const words = parseAddress(text)
  return words === undefined ? undefined : addressText(words)
}
