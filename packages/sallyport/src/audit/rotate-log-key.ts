/**
 * Gives a log a new signing key, which the one before vouches for.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { LedgerStore, LogId, StoredCheckpoint } from '../store/contract/ledger.ts'
import { logKeyRow } from './log-key-row.ts'
import { newLogKey } from './log-key.ts'

export interface RotateLogKeyDeps {
  readonly store: { readonly ledger: Pick<LedgerStore, 'keys' | 'rotateKey'> }
  readonly secrets: SecretRing
  readonly sealer: { checkpoint(log: LogId): Promise<StoredCheckpoint | undefined> }
}

/** What auditors are given. */
export interface RotatedLogKey {
  /** The number of the new key. */
  readonly epoch: number
  /** The checkpoint that both keys have signed: whoever has pinned the old one takes the new one over from it. */
  readonly note: string
}

/**
 * From here on the log is signed by a new key. The next checkpoint, which is signed at once, is signed by the old key as well.
 * The log itself keeps a row of it.
 *
 * @throws SallyportError `NOT_FOUND` for a log that was never signed; `CONFLICT` when somebody else does the same.
 */
export async function rotateLogKey(
  { store: { ledger }, secrets, sealer }: RotateLogKeyDeps,
  log: LogId,
  { reason }: { readonly reason: string },
): Promise<RotatedLogKey> {
  const last = (await ledger.keys(log)).at(-1)
  // Signed first, so that what both keys sign goes on from what the old one has signed.
  if (last === undefined || (await sealer.checkpoint(log)) === undefined)
    throw new SallyportError('NOT_FOUND', 'this log was never signed: there is no key to take over from')
  const key = newLogKey(secrets, log, last.epoch + 1)
  const change = {
    change: 'rotated',
    reason,
    oldValue: { keyNumber: last.epoch },
    newValue: { keyNumber: key.epoch },
  } as const
  const done = await ledger.rotateKey(log, key, (now) => [logKeyRow(log, change, now)])
  if (!done) throw new SallyportError('CONFLICT', 'the key of the log was changed by somebody else at the same moment')
  const checkpoint = await sealer.checkpoint(log)
  if (checkpoint === undefined) throw new TypeError('audit: a log with a row was not signed')
  return { epoch: key.epoch, note: checkpoint.note }
}
