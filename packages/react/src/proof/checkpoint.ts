/**
 * Checkpoints of a log (C2SP tlog-checkpoint), and the key that signs them (C2SP signed-note).
 *
 * @module
 */

import type { Bytes } from './bytes.ts'
import { concat, equal, fromBase64, sha256, utf8 } from './bytes.ts'

/** A verifier key as it is handed out: `name+id+key`. */
export interface LogKey {
  readonly name: string
  readonly id: Bytes
  readonly key: Bytes
}

/** What a log signed of itself. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Bytes
}

const ED25519 = 1

/** `undefined` for what is no Ed25519 verifier key, or one whose id is not its own. */
export async function readLogKey(vkey: string): Promise<LogKey | undefined> {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? []
  const typed = fromBase64(encoded)
  if (typed?.length !== 33 || typed[0] !== ED25519) return undefined
  const hash = await sha256(concat(utf8(`${name}\n`), typed))
  const own = hash.slice(0, 4)
  const claimed = Uint8Array.from(id.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  return equal(own, claimed) ? { name, id: own, key: typed.slice(1) } : undefined
}

/** Reads a signed note without judging its signature; `undefined` for what is none. */
export function readNote(note: string): { readonly text: string; readonly lines: readonly string[] } | undefined {
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) return undefined
  return { text: note.slice(0, split + 1), lines: note.slice(split + 2, -1).split('\n') }
}

/** Reads origin, size and root; whatever else the log added stands below them. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = ''] = text.split('\n')
  const hash = fromBase64(root)
  if (origin === '' || !/^(?:0|[1-9]\d{0,15})$/.test(size) || hash?.length !== 32) return undefined
  return { origin, size: Number(size), root: hash }
}

/** Whether one of the lines is a signature by the key. @throws DOMException where the browser knows no Ed25519. */
export async function isSignedBy(text: string, lines: readonly string[], { name, id, key }: LogKey): Promise<boolean> {
  const publicKey = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
  for (const line of lines) {
    const [, signer, encoded = ''] = /^— (\S+) (\S+)$/.exec(line) ?? []
    const bytes = fromBase64(encoded)
    if (signer !== name || bytes?.length !== 68 || !equal(bytes.slice(0, 4), id)) continue
    if (await crypto.subtle.verify('Ed25519', publicKey, bytes.slice(4), utf8(text))) return true
  }
  return false
}
