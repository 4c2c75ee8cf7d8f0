/**
 * How a device is written down: as a digest, so that what is stored names no device to anyone who reads it.
 *
 * @module
 */

import { createHash } from 'node:crypto'

/** What a client shows of its device. Both may be there, either, or none. */
export interface PresentedDevice {
  /** The random id that the client keeps in storage. */
  readonly fingerprint: string | null
  /** Hex of the device cookie's hash; only of a cookie that this server signed. */
  readonly cookieHash: string | null
}

/**
 * The one name of a presented device, which trust and step-ups are bound to: the cookie, which cannot be made up, before the id in
 * storage. `undefined` where the client showed nothing.
 */
export function deviceName({ fingerprint, cookieHash }: PresentedDevice): string | undefined {
  if (cookieHash !== null) return `cookie:${cookieHash}`
  return fingerprint === null ? undefined : `id:${fingerprint}`
}

/**
 * The name in short, for audit rows: enough to tell a tenant's devices apart and to know one again, and no more. Null where the
 * client showed nothing.
 */
export function deviceLabel(device: PresentedDevice): string | null {
  const name = deviceName(device)
  return name === undefined ? null : deviceDigest(name).slice(0, 10)
}

/** Every name that a device may show up by, as kept. */
export function deviceDigests({ fingerprint, cookieHash }: PresentedDevice): readonly string[] {
  return [
    ...(cookieHash === null ? [] : [deviceDigest(`cookie:${cookieHash}`)]),
    ...(fingerprint === null ? [] : [deviceDigest(`id:${fingerprint}`)]),
  ]
}

/** Of what the database keeps a hash of, this is the hash of that hash: neither leads to the other's rows. */
export function deviceDigest(value: Uint8Array | string): string {
  return createHash('sha256').update('sallyport:step-up:').update(value).digest('base64url')
}
