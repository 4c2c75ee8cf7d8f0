/**
 * Checkpoints (C2SP tlog-checkpoint v1): what a log says of itself, signed. Origin, size and root.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { HASH_BYTES, isSize } from './merkle.ts'
import type { HeldSignature, VerifierKey } from './signed-note.ts'
import { NoteError, parseNote, signNote, strictBase64, verifyNote } from './signed-note.ts'

export interface Checkpoint {
  /** Names the log, and the key that signs it. */
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** Signs a checkpoint with the log's key, whose name is the origin; with two of them where one takes over from the other. */
export function signCheckpoint({ origin, size, root }: Checkpoint, ...privateKeys: readonly KeyObject[]): string {
  if (!isSize(size) || root.length !== HASH_BYTES) throw new TypeError('checkpoint: a size and a root of 32 bytes')
  return signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, origin, privateKeys)
}

/** Reads a checkpoint without judging its signatures. @throws NoteError for what is none. */
export function readCheckpoint(note: string): Checkpoint {
  return bodyOf(parseNote(note).text)
}

/**
 * Judges a checkpoint: signed by the log's own key, and whatever witnesses are known hold too.
 *
 * @param log The key of the log. The checkpoint's origin must be its name.
 * @param witnesses Keys whose cosignatures are looked for; `cosigned` tells which were there.
 * @throws NoteError for what is no checkpoint, is of another log, or has a known signature that does not hold.
 */
export function verifyCheckpoint(
  note: string,
  log: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): Checkpoint & { readonly cosigned: readonly HeldSignature[] } {
  const { text, held } = verifyNote(note, [log, ...witnesses])
  if (!held.some(({ key }) => key === log)) throw new NoteError('the checkpoint is not signed by its log')
  const checkpoint = bodyOf(text)
  if (checkpoint.origin !== log.name) throw new NoteError('the checkpoint is of another log than its key')
  return { ...checkpoint, cosigned: held.filter(({ key }) => key !== log) }
}

function bodyOf(text: string): Checkpoint {
  // Extension lines may follow; they are signed, and say nothing here.
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  const hash = strictBase64(root)
  if (
    origin === '' ||
    !/^(?:0|[1-9]\d{0,15})$/.test(size) ||
    !isSize(Number(size)) ||
    hash?.length !== HASH_BYTES ||
    rest.at(-1) !== '' ||
    rest.slice(0, -1).includes('')
  ) {
    throw new NoteError('a checkpoint reads origin, size and root, a line each')
  }
  return { origin, size: Number(size), root: hash }
}
