/**
 * Starts a new line of checkpoints for a log that is not what was signed of it: after the database was restored from a backup.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { LedgerStore, LogId } from '../store/contract/ledger.ts'
import { logKeyRow } from './log-key-row.ts'
import { newLogKey } from './log-key.ts'
import { Frontier } from './verifying/merkle.ts'

export interface ReanchorDeps {
  readonly store: { readonly ledger: Pick<LedgerStore, 'keys' | 'head' | 'signed' | 'reanchor'> }
  readonly secrets: SecretRing
}

/**
 * Gives the log a new key, which every auditor has to be told of: under the old one no two histories are ever signed. The
 * log itself keeps a row of it, with what was signed before and what is there now.
 *
 * @returns The number of the new key.
 * @throws SallyportError `NOT_FOUND` for a log that was never signed; `CONFLICT` when somebody else does the same.
 */
export async function reanchorLog(
  { store: { ledger }, secrets }: ReanchorDeps,
  log: LogId,
  { reason }: { readonly reason: string },
): Promise<{ readonly epoch: number }> {
  const last = (await ledger.keys(log)).at(-1)
  if (last === undefined)
    throw new SallyportError('NOT_FOUND', 'this log was never signed: there is nothing to anchor anew')
  const signed = await ledger.signed(log)
  const head = await ledger.head(log)
  const key = newLogKey(secrets, log, last.epoch + 1)
  const change = {
    change: 'reanchored',
    reason,
    oldValue: { signed: shown(signed), keyNumber: last.epoch },
    newValue: { present: shown(head), keyNumber: key.epoch },
  } as const
  const done = await ledger.reanchor(log, key, (now) => [logKeyRow(log, change, now)])
  if (!done) throw new SallyportError('CONFLICT', 'the log was anchored anew by somebody else at the same moment')
  return { epoch: key.epoch }
}

function shown(state: { readonly size: number; readonly frontier: Buffer } | undefined) {
  if (state === undefined) return null
  return { size: state.size, root: Frontier.fromBytes(state.size, state.frontier).root().toString('hex') }
}
