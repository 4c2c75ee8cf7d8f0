/**
 * The code that an authenticator app would show (RFC 6238, RFC 4226 section 5.3): the demo enrols one.
 *
 * @module
 */

import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const PERIOD_MS = 30_000

/** Six digits. @param secret Base32, as an enrolment shows it. */
export function totpCode(secret: string, now: Date): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now.getTime() / PERIOD_MS)))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const offset = (mac.at(-1) ?? 0) & 0x0f
  const code = (mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000
  return String(code).padStart(6, '0')
}

/** How long the code of now is shown. The service takes it for half a minute more. */
export function secondsLeft(now: Date): number {
  return Math.ceil((PERIOD_MS - (now.getTime() % PERIOD_MS)) / 1000)
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text.replaceAll('=', ''))
    .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
