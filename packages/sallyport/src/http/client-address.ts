/**
 * Decides which address a request is held to have come from: the one function behind limits, IP rules, audit and risk.
 *
 * @module
 */

import { normalAddress } from '../ip-rules/parse.ts'
import type { TrustedProxies } from '../options.ts'

/** What the server knows of the connection that a request came in on. */
export interface Connection {
  /** The socket's peer, as the runtime gives it. */
  readonly remoteAddress?: string | undefined
}

const NO_PROXIES: TrustedProxies = { kind: 'none' }

/**
 * The client's address in the one form that rules and logs use; `undefined` where it is unknown.
 *
 * Anyone can write `Forwarded` and `X-Forwarded-For`, so they count only from proxies that the host has named, and are read
 * from the right: each proxy appends whom it saw, so what stands left of the first one that is not ours was written by strangers.
 */
export function clientAddress(
  connection: Connection | undefined,
  headers?: Headers,
  proxies: TrustedProxies = NO_PROXIES,
): string | undefined {
  const peer = peerOf(connection)
  if (proxies.kind === 'none' || headers === undefined || peer === undefined) return peer
  const forwarded = headers.get('forwarded')
  const list = headers.get('x-forwarded-for')
  const told = [
    ...(forwarded === null ? [] : [walk(peer, forwardedFor(forwarded), proxies)]),
    ...(list === null ? [] : [walk(peer, list.split(',').map(hostOf), proxies)]),
  ]
  if (told.length === 0) return peer
  // A proxy that writes one of the two passes the other on as the client sent it. Where they differ nobody knows which is which.
  return told.every((one) => one === told[0]) ? told[0] : undefined
}

/** Whether a request came in straight from one of the host's own proxies: what such a one writes into headers counts. */
export function isFromProxy(connection: Connection | undefined, proxies: TrustedProxies = NO_PROXIES): boolean {
  const peer = peerOf(connection)
  return peer !== undefined && proxies.kind !== 'none' && isOurs(peer, 1, proxies)
}

function isOurs(address: string, hop: number, proxies: Exclude<TrustedProxies, { kind: 'none' }>): boolean {
  return proxies.kind === 'hops' ? hop <= proxies.count : proxies.matcher.judge(address).kind === 'pass'
}

function peerOf(connection: Connection | undefined): string | undefined {
  const address = connection?.remoteAddress
  if (address === undefined) return undefined
  // A zone names an interface of this machine and says nothing of the peer.
  const zone = address.indexOf('%')
  return normalAddress(zone < 0 ? address : address.slice(0, zone))
}

/** @param told Whom each proxy saw, the nearest last; `undefined` for what is no address. */
function walk(
  peer: string,
  told: readonly (string | undefined)[],
  proxies: Exclude<TrustedProxies, { kind: 'none' }>,
): string | undefined {
  let address: string | undefined = peer
  for (let hop = 1; hop <= told.length; hop++) {
    if (!isOurs(address, hop, proxies)) return address
    address = told[told.length - hop]
    if (address === undefined) return undefined
  }
  return address
}

/** An entry of `X-Forwarded-For`: an address, by some proxies with a port. */
function hostOf(entry: string): string | undefined {
  const text = entry.trim()
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined) return normalAddress(bracketed)
  return normalAddress(/^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text)
}

/** One pair of RFC 7239: a token, and a token or a quoted string. */
const PAIR =
  /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z:[\]-]*))[ \t]*(;|,|$)/

/** The `for` of each element. One that names none, or hides it (`unknown`, `_hidden`), counts as unknown. */
function forwardedFor(header: string): readonly (string | undefined)[] {
  const told: (string | undefined)[] = []
  let rest = header
  let current: string | undefined
  while (rest !== '') {
    const pair = PAIR.exec(rest)
    // Malformed from here on: whatever was meant, it is not known who the nearest proxy saw.
    if (pair === null) return [...told, undefined]
    const [whole, name = '', quoted, plain, separator] = pair
    if (name.toLowerCase() === 'for') current = hostOf((quoted ?? plain ?? '').replaceAll(/\\(.)/g, '$1'))
    rest = rest.slice(whole.length)
    if (separator !== ';') {
      told.push(current)
      current = undefined
    }
  }
  return told
}
