/**
 * Signed notes (C2SP signed-note v1): text with one or more signature lines, each by a key that its name and id tell.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { createHash, createPublicKey, sign as ed25519Sign, verify as ed25519Verify } from 'node:crypto'

/** The kinds of key that are understood: a log's own Ed25519 signature, and a witness's timestamped cosignature. */
const ED25519 = 0x01
const ED25519_COSIGNATURE = 0x04

const PUBLIC_BYTES = 32
const ID_BYTES = 4
const SIGNATURE_BYTES = 64
const MAX_SIGNATURES = 100
const MAX_NOTE = 1_000_000
/** What precedes the raw key in its SPKI form (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** A key that notes are checked with. */
export interface VerifierKey {
  readonly name: string
  /** The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), in hexadecimal. */
  readonly idHex: string
  readonly kind: 'ed25519' | 'cosignature'
  readonly publicKey: KeyObject
}

/** One signature line. */
export interface NoteSignature {
  readonly name: string
  readonly idHex: string
  /** What follows the key id. */
  readonly bytes: Buffer
}

export interface ParsedNote {
  /** What is signed, its final line break included. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A signature that held. `time` is when a witness cosigned, in seconds since 1970. */
export interface HeldSignature {
  readonly key: VerifierKey
  readonly time: number | undefined
}

/** Why a note is not accepted. */
export class NoteError extends Error {
  override readonly name = 'NoteError'
}

/** The text form of a key: `name+id+base64(type ‖ key)`. */
export function writeVerifierKey(name: string, publicKey: Uint8Array): string {
  const typed = typedKey(ED25519, publicKey)
  return `${name}+${keyId(name, typed)}+${typed.toString('base64')}`
}

/** Reads the text form of a key. @throws NoteError for anything that is not one, or whose id is not its own. */
export function readVerifierKey(text: string): VerifierKey {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text)
  const [, name = '', idHex = '', body = ''] = match ?? []
  const typed = strictBase64(body)
  if (match === null || typed === undefined || typed.length !== PUBLIC_BYTES + 1) {
    throw new NoteError('a verifier key reads name+id+key, with an Ed25519 key')
  }
  const type = typed[0]
  if (type !== ED25519 && type !== ED25519_COSIGNATURE) throw new NoteError('a verifier key of an unknown kind')
  if (keyId(name, typed) !== idHex) throw new NoteError('the id of a verifier key is not the one of its key')
  return {
    name,
    idHex,
    kind: type === ED25519 ? 'ed25519' : 'cosignature',
    publicKey: createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, typed.subarray(1)]),
      format: 'der',
      type: 'spki',
    }),
  }
}

/**
 * Signs text as a note.
 *
 * @param text Ends with a line break, and holds no other control character.
 * @throws TypeError for text or a name that a note cannot have.
 */
export function signNote(text: string, name: string, privateKeys: KeyObject | readonly KeyObject[]): string {
  if (textFault(text) !== undefined) throw new TypeError(`note: ${textFault(text)}`)
  if (!isName(name)) throw new TypeError('note: a key name is not empty and holds neither white space nor +')
  const lines = [privateKeys].flat().map((privateKey) => {
    const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_BYTES)
    const id = Buffer.from(keyId(name, typedKey(ED25519, raw)), 'hex')
    const signature = ed25519Sign(null, Buffer.from(text), privateKey)
    return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

/** Takes a note apart without judging its signatures. @throws NoteError for what is no note. */
export function parseNote(note: string): ParsedNote {
  if (note.length > MAX_NOTE) throw new NoteError('a note this long is refused')
  // The last empty line: the text may hold empty lines of its own, and signature lines never do.
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw new NoteError('a note is text, an empty line, and signatures')
  const text = note.slice(0, split + 1)
  const fault = textFault(text)
  if (fault !== undefined) throw new NoteError(fault)
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw new NoteError('a note with this many signatures is refused')
  return { text, signatures: lines.map(readSignature) }
}

/**
 * Judges a note by the keys that are known. Signatures by other keys are passed over.
 *
 * @returns The known signatures, all of which held.
 * @throws NoteError when it is no note, when one by a known key does not hold, or when none is by a known key.
 */
export function verifyNote(
  note: string,
  keys: readonly VerifierKey[],
): ParsedNote & { readonly held: readonly HeldSignature[] } {
  const parsed = parseNote(note)
  const held: HeldSignature[] = []
  for (const signature of parsed.signatures) {
    const key = keys.find(({ name, idHex }) => name === signature.name && idHex === signature.idHex)
    if (key === undefined || held.some((one) => one.key === key)) continue
    const time = check(parsed.text, signature, key)
    if (time === 'bad') throw new NoteError(`the signature by ${key.name} does not hold`)
    held.push({ key, time })
  }
  if (held.length === 0) throw new NoteError('no signature is by a known key')
  return { ...parsed, held }
}

function check(text: string, { bytes }: NoteSignature, { kind, publicKey }: VerifierKey): number | undefined | 'bad' {
  if (kind === 'ed25519') {
    const good = bytes.length === SIGNATURE_BYTES && ed25519Verify(null, Buffer.from(text), publicKey, bytes)
    return good ? undefined : 'bad'
  }
  // A cosignature carries the moment that it vouches for: 8 bytes, big-endian.
  if (bytes.length !== 8 + SIGNATURE_BYTES) return 'bad'
  const time = Number(bytes.readBigUInt64BE())
  const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
  return Number.isSafeInteger(time) && ed25519Verify(null, signed, publicKey, bytes.subarray(8)) ? time : 'bad'
}

function readSignature(line: string): NoteSignature {
  const match = /^— ([^\s+]+) (\S+)$/u.exec(line)
  const blob = match === null ? undefined : strictBase64(match[2] ?? '')
  if (match === null || blob === undefined || blob.length <= ID_BYTES) {
    throw new NoteError('a signature line reads "— name base64"')
  }
  return {
    name: match[1] ?? '',
    idHex: blob.subarray(0, ID_BYTES).toString('hex'),
    bytes: blob.subarray(ID_BYTES),
  }
}

function typedKey(type: number, publicKey: Uint8Array): Buffer {
  if (publicKey.length !== PUBLIC_BYTES) throw new TypeError('note: an Ed25519 key has 32 bytes')
  return Buffer.concat([Buffer.from([type]), publicKey])
}

function keyId(name: string, typed: Uint8Array): string {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(typed)
    .digest('hex')
    .slice(0, ID_BYTES * 2)
}

function isName(name: string): boolean {
  return /^[^\s+]+$/u.test(name) && name.isWellFormed()
}

function textFault(text: string): string | undefined {
  if (!text.endsWith('\n')) return 'the text of a note ends with a line break'
  if (!text.isWellFormed()) return 'the text of a note is UTF-8'
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) return 'the text of a note holds no control characters'
  return undefined
}

/** Node's decoder takes almost anything; two spellings of one signature would make one note two. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
