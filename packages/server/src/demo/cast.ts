/**
 * Who plays in the demo: a team of nine, where they are and what they work with, and two strangers.
 *
 * Addresses are of the ranges that documents may use (RFC 5737, RFC 3849): none of them is anybody's.
 *
 * @module
 */

import type { Place } from 'sallyport'

export type Role = 'owner' | 'admin' | 'auditor' | 'member'

/** Something that somebody works with, and from where. */
export interface Device {
  readonly name: string
  readonly address: string
  readonly userAgent: string
  /** The random id that a client keeps in storage; a program without one shows none. */
  readonly fingerprint?: string
}

export interface Character {
  readonly key: string
  readonly name: string
  readonly role: Role
  /** Before the @. */
  readonly mailbox: string
  /** Whether they have an authenticator app from their first day on. */
  readonly hasTotp: boolean
  /** The first is what they work with every day. */
  readonly devices: readonly [Device, ...Device[]]
  /** Signs out in the evening, and in again in the morning. */
  readonly signsOut?: true
}

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0'
const AGENTS = {
  chromeMac: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36`,
  chromeWindows: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`,
  chromeLinux: `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`,
  chromeAndroid: `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`,
  edgeWindows: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/141.0.0.0`,
  firefoxLinux: 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
  firefoxMac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0',
  safariPhone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
  python: 'python-requests/2.32.5',
} as const

const place = (country: string, city: string, latitude: number, longitude: number): Place => ({
  country,
  city,
  latitude,
  longitude,
})
const BERLIN = place('DE', 'Berlin', 52.52, 13.41)
const LONDON = place('GB', 'London', 51.51, -0.13)
const BENGALURU = place('IN', 'Bengaluru', 12.97, 77.59)
const ZURICH = place('CH', 'Zurich', 47.37, 8.54)
const PARIS = place('FR', 'Paris', 48.86, 2.35)
const LISBON = place('PT', 'Lisbon', 38.72, -9.14)
const MADRID = place('ES', 'Madrid', 40.42, -3.7)
const NEW_YORK = place('US', 'New York', 40.71, -74.01)
const NEWARK = place('US', 'Newark', 40.74, -74.17)
const ACCRA = place('GH', 'Accra', 5.6, -0.19)
const MANILA = place('PH', 'Manila', 14.6, 120.98)

const PLACES: ReadonlyMap<string, Place> = new Map([
  ['198.51.100.21', BERLIN],
  ['2001:db8:11::a', BERLIN],
  ['198.51.100.140', LONDON],
  ['2001:db8:12::a', LONDON],
  ['2001:db8:13::a', BENGALURU],
  ['2001:db8:14::a', ZURICH],
  ['2001:db8:15::a', PARIS],
  ['2001:db8:15::b', PARIS],
  ['2001:db8:16::a', LISBON],
  ['2001:db8:1a::a', MADRID],
  ['2001:db8:17::a', NEW_YORK],
  ['2001:db8:18::a', ACCRA],
  ['2001:db8:19::a', BERLIN],
  ['203.0.113.66', NEWARK],
  ['203.0.113.140', MANILA],
  ['203.0.113.200', MANILA],
])

/** Where the demo's addresses are; nobody looks them up anywhere. */
export function placeOf(address: string): Place | undefined {
  return PLACES.get(address)
}

export const CAST = [
  {
    key: 'olive',
    name: 'Olive Owner',
    role: 'owner',
    mailbox: 'owner',
    hasTotp: true,
    devices: [
      { name: 'laptop', address: '198.51.100.21', userAgent: AGENTS.chromeMac, fingerprint: 'olive-laptop' },
      { name: 'phone', address: '2001:db8:11::a', userAgent: AGENTS.safariPhone, fingerprint: 'olive-phone' },
    ],
  },
  {
    key: 'ada',
    name: 'Ada Admin',
    role: 'admin',
    mailbox: 'admin',
    hasTotp: true,
    devices: [
      { name: 'laptop', address: '198.51.100.140', userAgent: AGENTS.firefoxLinux, fingerprint: 'ada-laptop' },
      { name: 'phone', address: '2001:db8:12::a', userAgent: AGENTS.chromeAndroid, fingerprint: 'ada-phone' },
    ],
  },
  {
    key: 'ravi',
    name: 'Ravi Raman',
    role: 'admin',
    mailbox: 'ravi',
    hasTotp: true,
    devices: [{ name: 'laptop', address: '2001:db8:13::a', userAgent: AGENTS.edgeWindows, fingerprint: 'ravi-laptop' }],
  },
  {
    key: 'audrey',
    name: 'Audrey Auditor',
    role: 'auditor',
    mailbox: 'auditor',
    hasTotp: true,
    devices: [
      { name: 'laptop', address: '2001:db8:14::a', userAgent: AGENTS.edgeWindows, fingerprint: 'audrey-laptop' },
    ],
  },
  {
    key: 'mel',
    name: 'Mel Member',
    role: 'member',
    mailbox: 'member',
    hasTotp: false,
    signsOut: true,
    devices: [
      { name: 'laptop', address: '2001:db8:15::a', userAgent: AGENTS.chromeWindows, fingerprint: 'mel-laptop' },
      { name: 'phone', address: '2001:db8:15::b', userAgent: AGENTS.chromeAndroid, fingerprint: 'mel-phone' },
    ],
  },
  {
    key: 'nina',
    name: 'Nina Nunes',
    role: 'member',
    mailbox: 'nina',
    hasTotp: false,
    devices: [{ name: 'laptop', address: '2001:db8:16::a', userAgent: AGENTS.firefoxMac, fingerprint: 'nina-laptop' }],
  },
  {
    key: 'sam',
    name: 'Sam Sato',
    role: 'member',
    mailbox: 'sam',
    hasTotp: false,
    // A program of the team's own, that keeps no id of its device: what a thief copies of it is all that there is.
    devices: [{ name: 'desktop app', address: '2001:db8:17::a', userAgent: AGENTS.chromeMac }],
  },
  {
    key: 'kofi',
    name: 'Kofi Kuma',
    role: 'member',
    mailbox: 'kofi',
    hasTotp: false,
    devices: [{ name: 'laptop', address: '2001:db8:18::a', userAgent: AGENTS.chromeLinux, fingerprint: 'kofi-laptop' }],
  },
  {
    key: 'dora',
    name: 'Dora Dietz',
    role: 'member',
    mailbox: 'dora',
    hasTotp: false,
    devices: [{ name: 'laptop', address: '2001:db8:19::a', userAgent: AGENTS.chromeMac, fingerprint: 'dora-laptop' }],
  },
] as const satisfies readonly Character[]

export type CharacterKey = (typeof CAST)[number]['key']

/** Nina, away from home with the laptop of a colleague. */
export const NINA_ABROAD: Device = {
  name: 'laptop',
  address: '2001:db8:1a::a',
  userAgent: AGENTS.edgeWindows,
  fingerprint: 'nina-laptop',
}

/** Whoever has a copy of Sam's refresh token, behind an exit near Sam's own city. */
export const THIEF: Device = { name: 'unknown', address: '203.0.113.66', userAgent: AGENTS.chromeMac }

/** Whoever guesses passwords in the night. */
export const GUESSER: Device = { name: 'unknown', address: '203.0.113.140', userAgent: AGENTS.python }

/** Whoever has Kofi's password from a leak elsewhere. */
export const STRANGER: Device = {
  name: 'unknown',
  address: '203.0.113.200',
  userAgent: AGENTS.chromeWindows,
  fingerprint: 'stranger',
}
