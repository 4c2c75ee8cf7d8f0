/**
 * Verifies every log of an instance, or one.
 *
 * @module
 */

import { invalidField } from '../errors.ts'
import type { LedgerStore, LogId } from '../store/contract/ledger.ts'
import { logOf, originOf } from './log.ts'
import type { LogVerdict, VerifyLogDeps, VerifyLogOptions } from './verify-log.ts'
import { verifyLog } from './verify-log.ts'
import { readCheckpoint } from './verifying/checkpoint.ts'
import { NoteError } from './verifying/signed-note.ts'

export interface VerifyLogsDeps extends VerifyLogDeps {
  readonly store: { readonly ledger: VerifyLogDeps['store']['ledger'] & Pick<LedgerStore, 'logs'> }
}

export interface VerifyLogsOptions extends VerifyLogOptions {
  /** One log: a tenant's, or with `null` the service's own. Defaults to all. */
  readonly tenantId?: string | null | undefined
}

/**
 * @returns A verdict for each log, in the order of their ids. Logs that a kept checkpoint is of are among them, whatever is
 *   left of them.
 * @throws SallyportError `INVALID_REQUEST` for a kept checkpoint that is none, or is of another service.
 */
export async function verifyLogs(
  deps: VerifyLogsDeps,
  { tenantId, ...options }: VerifyLogsOptions = {},
): Promise<readonly LogVerdict[]> {
  const kept = (options.kept ?? []).map((note) => logOfCheckpoint(deps, note))
  const logs = tenantId === undefined ? [...(await deps.store.ledger.logs()), ...kept] : [logOf(tenantId)]
  const verdicts: LogVerdict[] = []
  for (const log of [...new Set(logs)].sort()) verdicts.push(await verifyLog(deps, log, options))
  return verdicts
}

function logOfCheckpoint({ settings }: VerifyLogDeps, note: string): LogId {
  try {
    const { origin } = readCheckpoint(note)
    const log = origin.slice(origin.lastIndexOf('/') + 1)
    if (originOf(settings.issuer, log) === origin) return log
    throw invalidField('checkpoint', `is of ${origin}, which is no log of this service`)
  } catch (error) {
    if (error instanceof NoteError) throw invalidField('checkpoint', error.message)
    throw error
  }
}
