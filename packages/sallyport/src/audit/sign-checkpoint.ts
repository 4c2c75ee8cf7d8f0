/**
 * Signs what a log has come to, from what is read back of it, and never anything that contradicts what was signed before.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { LedgerStore, LogId, SignedState, StoredCheckpoint } from '../store/contract/ledger.ts'
import type { LogKey, LogKeyDeps } from './log-key.ts'
import { formerLogKey, logKey } from './log-key.ts'
import { originOf } from './log.ts'
import { signCheckpoint } from './verifying/checkpoint.ts'
import { Frontier } from './verifying/merkle.ts'
import type { Witness } from './witness.ts'

export interface SignDeps extends LogKeyDeps {
  readonly store: {
    readonly ledger: LogKeyDeps['store']['ledger'] &
      Pick<LedgerStore, 'head' | 'leaves' | 'signed' | 'sign' | 'checkpoint'>
  }
  readonly witness: Witness
}

const CHUNK = 10_000

/**
 * Signs a checkpoint of the log as it stands, unless the newest one is of this size already.
 *
 * The tree that was signed last is continued with the leaves that were sealed since, and has to come out at the log's head:
 * what is signed begins with everything that was ever signed, by the way in which it was computed.
 *
 * @returns The newest checkpoint; `undefined` for a log without a row.
 * @throws SallyportError `CONFLICT` when the log is smaller than what was signed, or another. Nothing is signed then.
 */
export async function signLog(deps: SignDeps, log: LogId): Promise<StoredCheckpoint | undefined> {
  const { ledger } = deps.store
  const origin = originOf(deps.settings.issuer, log)
  for (;;) {
    // What was signed before the head: in the other order a checkpoint made between the two would read as a log that shrank.
    const signed = await ledger.signed(log)
    const head = await ledger.head(log)
    if (signed === undefined && (head === undefined || head.size === 0)) return undefined
    const size = head?.size ?? 0
    const key = await logKey(deps, log)
    const newest = await ledger.checkpoint(log)
    // A key that was rotated signs one more, together with its successor. After a restore nothing was signed: no key vouches then.
    const former =
      signed === undefined || newest === undefined || newest.keyEpoch >= key.epoch
        ? undefined
        : await formerLogKey(deps, log, newest.keyEpoch)
    const known = larger(await deps.witness.lastOf(key.vkey), former && (await deps.witness.lastOf(former.vkey)))
    if (size < Math.max(signed?.size ?? 0, known?.size ?? 0)) {
      throw refused(log, `it has ${size} rows, and ${Math.max(signed?.size ?? 0, known?.size ?? 0)} were signed`)
    }
    const frontier = await replayed(ledger, log, signed, size, known)
    if (head === undefined || !frontier.toBytes().equals(head.frontier)) {
      throw refused(log, `its head is not what its ${size} leaves come to`)
    }
    if (signed?.size === size && newest?.size === size && newest.keyEpoch === key.epoch) return newest
    const signers: readonly LogKey[] = former === undefined ? [key] : [former, key]
    const note = signCheckpoint({ origin, size, root: frontier.root() }, ...signers.map(({ privateKey }) => privateKey))
    const kept = await ledger.sign({
      log,
      after: signed?.size,
      size,
      frontier: frontier.toBytes(),
      keyEpoch: key.epoch,
      note,
    })
    // Nobody has seen the note yet: somebody else signed meanwhile, and then we begin from that.
    if (kept === undefined) continue
    await deps.witness.publish({ log, vkey: key.vkey, ...kept })
    return kept
  }
}

interface KnownSize {
  readonly size: number
  readonly root: Buffer
}

function larger(one: KnownSize | undefined, other: KnownSize | undefined): KnownSize | undefined {
  return one === undefined || (other !== undefined && other.size > one.size) ? other : one
}

/** The signed tree with the leaves up to `size`; on its way it passes what the witness has seen, and must have its root there. */
async function replayed(
  ledger: Pick<LedgerStore, 'leaves'>,
  log: LogId,
  signed: SignedState | undefined,
  size: number,
  known: KnownSize | undefined,
): Promise<Frontier> {
  // A witness that saw less than what was signed last is checked from the beginning, once: only after a restart is it behind.
  const start = signed === undefined || (known !== undefined && known.size < signed.size) ? undefined : signed
  const frontier = start === undefined ? new Frontier() : Frontier.fromBytes(start.size, start.frontier)
  const check = (): void => {
    if (known?.size === frontier.size && !frontier.root().equals(known.root)) {
      throw refused(log, `its first ${known.size} rows are not those that the witness has a checkpoint of`)
    }
    if (signed?.size === frontier.size && !frontier.toBytes().equals(signed.frontier)) {
      throw refused(log, `its first ${signed.size} rows are not those that were signed`)
    }
  }
  check()
  while (frontier.size < size) {
    const leaves = await ledger.leaves(log, frontier.size, Math.min(size, frontier.size + CHUNK))
    if (leaves.length === 0) throw refused(log, `row ${frontier.size} is missing`)
    for (const leaf of leaves) {
      frontier.append(leaf)
      if (frontier.size === known?.size || frontier.size === signed?.size) check()
    }
  }
  return frontier
}

function refused(log: LogId, why: string): SallyportError {
  return new SallyportError(
    'CONFLICT',
    `the audit log ${log} cannot be signed: ${why}. Run "sallyport audit verify" to see what is wrong. If the database was restored from a backup, "sallyport audit reanchor ${log}" starts a new line of checkpoints under a new key, and leaves a row that says so`,
    { facts: { log } },
  )
}
