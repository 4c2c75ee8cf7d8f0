/**
 * Checks in the browser that an event is in the sealed log just as it is shown: nothing of the service's word is taken but the key,
 * and that is the one that this browser knows.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import { equal, fromBase64, toBase64 } from './bytes.ts'
import { isSignedBy, readCheckpoint, readLogKey, readNote } from './checkpoint.ts'
import { rootOf } from './inclusion.ts'
import { leafHash } from './leaf-hash.ts'

/** The answer of `proveAuditEvent`. */
export interface InclusionProof {
  readonly leafIndex: number
  readonly treeSize: number
  readonly hashes: readonly string[]
  readonly checkpoint: string
  readonly tenantId: string | null
  /** `null` once the personal data of the event was erased. */
  readonly salt: string | null
}

export type ProofFault = 'leaf' | 'signature' | 'note' | 'origin' | 'index'

export type ProofVerdict =
  | {
      readonly kind: 'holds'
      readonly leafIndex: number
      readonly treeSize: number
      /** In base64. */
      readonly leaf: string
      readonly root: string
      readonly origin: string
    }
  | { readonly kind: 'fails'; readonly fault: ProofFault }
  /** Its parts can no longer be compared. */
  | { readonly kind: 'erased' }
  /** This browser lacks Ed25519. */
  | { readonly kind: 'unsupported' }

export async function checkEvent(event: AuditEvent, proof: InclusionProof, vkey: string): Promise<ProofVerdict> {
  const note = readNote(proof.checkpoint)
  const checkpoint = note && readCheckpoint(note.text)
  const key = await readLogKey(vkey)
  if (note === undefined || checkpoint === undefined) return { kind: 'fails', fault: 'note' }
  if (key === undefined || checkpoint.origin !== key.name) return { kind: 'fails', fault: 'origin' }
  try {
    if (!(await isSignedBy(note.text, note.lines, key))) return { kind: 'fails', fault: 'signature' }
  } catch {
    return { kind: 'unsupported' }
  }
  if (event.seal !== null && event.seal.seq !== proof.leafIndex) return { kind: 'fails', fault: 'index' }
  if (proof.salt === null) return { kind: 'erased' }

  const { leafIndex } = proof
  const leaf = await leafHash(event, { tenantId: proof.tenantId, salt: proof.salt })
  const hashes = proof.hashes.map(fromBase64).filter((hash) => hash?.length === 32)
  if (hashes.length !== proof.hashes.length) return { kind: 'fails', fault: 'leaf' }
  // The size that was signed, and not the one that is said beside it.
  const root = await rootOf({
    leafIndex,
    treeSize: checkpoint.size,
    leaf,
    hashes: hashes as NonNullable<(typeof hashes)[number]>[],
  })
  if (root === undefined || !equal(root, checkpoint.root)) return { kind: 'fails', fault: 'leaf' }
  const { origin, size } = checkpoint
  return { kind: 'holds', leafIndex, treeSize: size, leaf: toBase64(leaf), root: toBase64(root), origin }
}
