/**
 * Stands in for the hashing of passwords, for tests that sign up by the hundred: the same library and the same promises, at a
 * cost that no service should choose.
 *
 * @module
 */

import { hash, verify } from '@node-rs/argon2'

const QUICK = { memoryCost: 64, timeCost: 1, parallelism: 1, outputLen: 32 } as const
const NOBODYS = hash('nobody', QUICK)

export function hashPassword(password: string): Promise<string> {
  return hash(Buffer.from(password.normalize('NFC')), QUICK)
}

export async function verifyPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  const same = await verify(stored ?? (await NOBODYS), Buffer.from(password.normalize('NFC')))
  return same && stored != null
}

export function isOutdated(): boolean {
  return false
}
