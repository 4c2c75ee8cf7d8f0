/**
 * The Ed25519 key that signs the checkpoints of one log.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { SallyportError } from '../errors.ts'
import { needsReseal, open, seal } from '../secrets/seal.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { LedgerStore, LogId, LogKeyRow } from '../store/contract/ledger.ts'
import { originOf } from './log.ts'
import { writeVerifierKey } from './verifying/signed-note.ts'

export interface LogKeyDeps {
  readonly store: { readonly ledger: Pick<LedgerStore, 'key' | 'keys' | 'addKey' | 'resealKey'> }
  readonly secrets: SecretRing
  readonly settings: { readonly issuer: string }
}

export interface LogKey {
  /** Counts the keys that the log has had. */
  readonly epoch: number
  readonly origin: string
  /** What an auditor pins: `origin+id+key`. */
  readonly vkey: string
  readonly privateKey: KeyObject
}

/** The key of a log, made when it is first asked for. Whoever makes one at the same time reads the same back. */
export async function logKey(deps: LogKeyDeps, log: LogId): Promise<LogKey> {
  const { ledger } = deps.store
  let row = await ledger.key(log)
  if (row === undefined) {
    await ledger.addKey(log, newLogKey(deps.secrets, log, 1))
    row = await ledger.key(log)
  }
  if (row === undefined) throw new TypeError('audit: the key of a log was not kept')
  return opened(deps, log, row)
}

/** The key of a log that was its own until a rotation. */
export async function formerLogKey(deps: LogKeyDeps, log: LogId, epoch: number): Promise<LogKey> {
  const row = (await deps.store.ledger.keys(log)).find((one) => one.epoch === epoch)
  if (row === undefined) throw new SallyportError('INTERNAL', 'the former key of an audit log is gone')
  return opened(deps, log, row)
}

async function opened(deps: LogKeyDeps, log: LogId, row: LogKeyRow): Promise<LogKey> {
  const { ledger } = deps.store
  const { epoch, publicKey, privateKey: sealed } = row
  const der = open(deps.secrets, sealed, sealedAs(log, epoch))
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  // A row whose public key was exchanged would have us publish a key that is somebody else's.
  if (!rawPublicKey(privateKey).equals(publicKey)) {
    throw new SallyportError('INTERNAL', 'the stored key of an audit log is not the one that it says')
  }
  if (needsReseal(deps.secrets, sealed)) {
    const der = privateKey.export({ format: 'der', type: 'pkcs8' })
    await ledger.resealKey(log, epoch, sealed, seal(deps.secrets, der, sealedAs(log, epoch)))
    der.fill(0)
  }
  return { epoch, origin: originOf(deps.settings.issuer, log), vkey: vkeyOf(deps, log, publicKey), privateKey }
}

/** A fresh key for a log, its private part sealed for the store. */
export function newLogKey(secrets: SecretRing, log: LogId, epoch: number): Omit<LogKeyRow, 'createdAt'> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealed = seal(secrets, der, sealedAs(log, epoch))
  der.fill(0)
  return { epoch, publicKey: rawPublicKey(privateKey), privateKey: sealed }
}

/** The text form of a log's public key. */
export function vkeyOf(
  { settings }: { readonly settings: { readonly issuer: string } },
  log: LogId,
  publicKey: Uint8Array,
): string {
  return writeVerifierKey(originOf(settings.issuer, log), publicKey)
}

function sealedAs(log: LogId, epoch: number): string {
  return `audit_log_keys:${log}:${epoch}`
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
}
