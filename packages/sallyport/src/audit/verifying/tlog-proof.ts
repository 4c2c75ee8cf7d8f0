/**
 * Proof files (C2SP tlog-proof v1): index, inclusion proof and checkpoint in one text to hand to an auditor.
 *
 * @module
 */

import type { Checkpoint } from './checkpoint.ts'
import { verifyCheckpoint } from './checkpoint.ts'
import { HASH_BYTES, isSize, verifyInclusion } from './merkle.ts'
import type { HeldSignature, VerifierKey } from './signed-note.ts'
import { NoteError, strictBase64 } from './signed-note.ts'

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'

export interface TlogProof {
  readonly leafIndex: number
  readonly hashes: readonly Buffer[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
}

export function writeTlogProof({ leafIndex, hashes, checkpoint }: TlogProof): string {
  return [FIRST_LINE, `index ${leafIndex}`, ...hashes.map((hash) => hash.toString('base64')), '', checkpoint].join('\n')
}

/** Reads a proof file without judging it. @throws NoteError for what is none. */
export function readTlogProof(file: string): TlogProof {
  const split = file.indexOf('\n\n')
  const lines = split < 0 ? [] : file.slice(0, split).split('\n')
  const [first, ...rest] = lines
  // What stands in an extra line is not authenticated by anything, and is not looked at.
  if (rest[0]?.startsWith('extra ') === true && strictBase64(rest[0].slice('extra '.length)) !== undefined) rest.shift()
  const index = /^index (0|[1-9]\d{0,15})$/.exec(rest.shift() ?? '')?.[1]
  const hashes = rest.map((line) => strictBase64(line))
  if (first !== FIRST_LINE || index === undefined || !isSize(Number(index)) || hashes.length > 63) {
    throw new NoteError('this is no proof file')
  }
  return {
    leafIndex: Number(index),
    hashes: hashes.map((hash) => {
      if (hash?.length !== HASH_BYTES) throw new NoteError('a proof file has a hash of 32 bytes a line')
      return hash
    }),
    checkpoint: file.slice(split + 2),
  }
}

/**
 * Judges a proof file: the checkpoint is the log's, and the leaf is in the tree that it signs.
 *
 * @param leafHash Computed by whoever checks, from the entry.
 * @throws NoteError saying what does not hold.
 */
export function verifyTlogProof(
  file: string,
  leafHash: Uint8Array,
  log: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): Checkpoint & { readonly leafIndex: number; readonly cosigned: readonly HeldSignature[] } {
  const { leafIndex, hashes, checkpoint } = readTlogProof(file)
  const verified = verifyCheckpoint(checkpoint, log, witnesses)
  if (!verifyInclusion({ leafIndex, treeSize: verified.size, leafHash, hashes, root: verified.root })) {
    throw new NoteError('the entry is not in the log at this index')
  }
  return { ...verified, leafIndex }
}
