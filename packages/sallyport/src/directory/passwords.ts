/**
 * Hashes and verifies passwords (argon2id).
 *
 * @module
 */

import { availableParallelism } from 'node:os'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import { HashQueue } from './hash-queue.ts'

/**
 * 46 MiB of OWASP's first choice and the two passes of its second: at least as strong as either, so that no reader of a
 * guideline needs to know which one was followed. One lane, since lanes speed up whoever has many cores, and that is the
 * attacker. The algorithm is the library's default, argon2id.
 */
const PARAMETERS = { memoryCost: 47_104, timeCost: 2, parallelism: 1, outputLen: 32 } as const
const ARGON2ID = 2

/**
 * Memory and threads belong to the process, whatever instances are in it, and so does the queue. Three at most: hashes run
 * in libuv's pool of four threads, and the fourth is left for files, names and the signatures of access tokens.
 */
const queue = new HashQueue({ concurrency: Math.min(availableParallelism(), 3), maxWaiting: 256 })

/** What a password is verified against where there is no account: the same work, and no password has this hash. */
const NOBODYS_HASH = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}$${base64(16)}$${base64(32)}`

/** The hash to store, in the PHC format, which names its own parameters and salt. */
export function hashPassword(password: string): Promise<string> {
  return queue.run(() => hash(bytesOf(password), PARAMETERS))
}

/**
 * Whether the password is the one behind the hash. It is compared as a whole, whatever its length. Without a hash it takes
 * as long, and says no.
 */
export async function verifyPassword(storedHash: string | null | undefined, password: string): Promise<boolean> {
  const same = await queue.run(() => verify(storedHash ?? NOBODYS_HASH, bytesOf(password)))
  return same && storedHash != null
}

/** Whether a hash was made with less than what is asked for today. */
export function isOutdated(storedHash: string): boolean {
  const { algorithm, memoryCost, timeCost, parallelism, outputLen } = parseOptions(storedHash)
  return (
    (algorithm as number) !== ARGON2ID ||
    memoryCost < PARAMETERS.memoryCost ||
    timeCost < PARAMETERS.timeCost ||
    parallelism !== PARAMETERS.parallelism ||
    outputLen < PARAMETERS.outputLen
  )
}

/** Keyboards differ in how they compose `é`; NIST SP 800-63B-4 section 3.1.1.2 asks for one form. */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'), 'utf8')
}

function base64(zeros: number): string {
  return Buffer.alloc(zeros).toString('base64').replaceAll('=', '')
}
