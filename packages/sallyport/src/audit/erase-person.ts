/**
 * Takes a person's data out of the audit log, and leaves every proof whole.
 *
 * @module
 */

import type { Store } from '../store/contract/store.ts'
import { auditRow } from './record.ts'
import { SEAL_BATCH, sealWaiting } from './seal.ts'

/** Rows of one transaction. */
const BATCH = 1000

/** What a batch took, by the numbers of its rows: `5,9-12`. */
function runsOf(seqs: readonly number[]): string {
  const runs: { first: number; last: number }[] = []
  for (const seq of seqs) {
    const run = runs.at(-1)
    if (run?.last === seq - 1) run.last = seq
    else runs.push({ first: seq, last: seq })
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

/**
 * Erases names, addresses, places, user agents, diffs and context from the rows that the person is in, as actor, as the one
 * who acted as somebody else, or as what was acted on, together with the salts that bound them. Ids, actions, times and leaves
 * stay. Each batch commits with an `EVIDENCE_PURGED` row that names its rows, which `audit verify` holds it to.
 *
 * For the host, after {@link deleteUser}: no endpoint does this.
 *
 * @param ids The person's user id, and other ids that rows name them by, such as that of a membership.
 * @returns How many rows were changed.
 * @throws SallyportError `UNAVAILABLE`. What was committed stays erased; calling again goes on.
 */
export async function erasePerson(
  engine: { readonly store: Pick<Store, 'audit' | 'ledger'> },
  ids: readonly string[],
): Promise<{ readonly rows: number }> {
  // A row that waits is still to be hashed from what it says.
  while ((await sealWaiting(engine)) >= SEAL_BATCH);
  let rows = 0
  for (;;) {
    const erased = await engine.store.audit.erase({ ids, limit: BATCH }, ({ tenantId, seqs, idsSha256 }, now) => [
      auditRow(
        {
          tenantId,
          action: 'EVIDENCE_PURGED',
          resource: 'audit_logs',
          metadata: { actor: 'host', reason: 'person_erased', count: seqs.length, erasedSeqs: runsOf(seqs), idsSha256 },
        },
        now,
      ),
    ])
    if (erased === 0) return { rows }
    rows += erased
  }
}
