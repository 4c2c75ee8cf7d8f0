/**
 * Starts a new line of checkpoints for a log that is not what was signed of it: after the database was restored from a backup.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { LedgerStore, LogId } from '../store/contract/ledger.ts'
import { newLogKey } from './log-key.ts'
import { SERVICE_LOG } from './log.ts'
import { auditRow } from './record.ts'
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
  const keys = await ledger.keys(log)
  const last = keys.at(-1)
  if (last === undefined)
    throw new SallyportError('NOT_FOUND', 'this log was never signed: there is nothing to anchor anew')
  const signed = await ledger.signed(log)
  const head = await ledger.head(log)
  const key = newLogKey(secrets, log, last.epoch + 1)
  const done = await ledger.reanchor(log, key, (now) => [
    auditRow(
      {
        tenantId: log === SERVICE_LOG ? null : log,
        action: 'SIGNING_KEY_ROTATED',
        resource: 'audit_log',
        resourceId: log,
        oldValue: { signed: shown(signed), keyNumber: last.epoch },
        newValue: { present: shown(head), keyNumber: key.epoch },
        metadata: { actor: 'cli', change: 'reanchored', reason },
      },
      now,
    ),
  ])
  if (!done) throw new SallyportError('CONFLICT', 'the log was anchored anew by somebody else at the same moment')
  return { epoch: key.epoch }
}

function shown(state: { readonly size: number; readonly frontier: Buffer } | undefined) {
  if (state === undefined) return null
  return { size: state.size, root: Frontier.fromBytes(state.size, state.frontier).root().toString('hex') }
}
