/**
 * Tells of a sealed row's line, byte by byte, that it is what was sealed: nearly every row is, and nearly every line is so plain
 * that its bytes are those of the canonical entry already. No object, and hardly a text, is made of it.
 *
 * It only ever says yes. Of any other line (what has to be escaped, what is gone, altered or says something of other rows)
 * `leaf.ts` is asked, which is the definition.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { FIELD, FIELDS, isoOf, milliseconds } from '../store/contract/sealed-rows.ts'
import { canonicalJson } from './canonical-json.ts'
import { instant } from './leaf.ts'
import type { Placed } from './placed.ts'

/** A row that is what was sealed. */
export interface Intact extends Placed {
  /** In hexadecimal. */
  readonly leafHash: string
}

/** Longer lines are not told apart here: the entry of a shorter one has room in a tile, whatever it holds. */
const MOST_BYTES = 16_384
const HASH_HEX = 64
const SALT_HEX = 32

const TAB = 0x09
const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const LETTER_N = 0x4e
const LETTER_T = 0x74

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The members of an entry around `personal`, in the order of RFC 8785. */
const BEFORE = [
  { lead: bytes('\u0000{"action":'), field: FIELD.action },
  { lead: bytes(',"correlationId":'), field: FIELD.correlationId },
  { lead: bytes(',"createdAt":'), field: FIELD.createdAt },
  { lead: bytes(',"failureReason":'), field: FIELD.failureReason },
  { lead: bytes(',"id":'), field: FIELD.id },
  { lead: bytes(',"isImpersonating":'), field: FIELD.isImpersonating },
  { lead: bytes(',"outcome":'), field: FIELD.outcome },
] as const
const AFTER = [
  { lead: bytes('},"realUserId":'), field: FIELD.realUserId },
  { lead: bytes(',"resource":'), field: FIELD.resource },
  { lead: bytes(',"resourceId":'), field: FIELD.resourceId },
  { lead: bytes(',"sessionId":'), field: FIELD.sessionId },
  { lead: bytes(',"staffId":'), field: FIELD.staffId },
  { lead: bytes(',"tenantId":'), field: FIELD.tenantId },
  { lead: bytes(',"userId":'), field: FIELD.userId },
] as const
const END = bytes(',"v":1}')
const PERSONAL = (
  ['actorName', 'city', 'country', 'ipAddress', 'metadata', 'newValue', 'oldValue', 'userAgent'] as const
).map((name) => ({ name: bytes(`${name}:`), lead: bytes(`"${name}":"`), field: FIELD[name] }))
const NONE = { name: bytes('none:null'), lead: bytes('"none":"') }
const PERSONAL_OPEN = bytes(',"personal":{')
const NULL = bytes('null')
const TRUE = bytes('true')
const FALSE = bytes('false')
const PURGE = bytes('EVIDENCE_PURGED')

export class IntactLines {
  /** Where each field starts, and the one that would come after the last. */
  readonly #starts = new Int32Array(FIELDS + 1)
  readonly #null = new Uint8Array(FIELDS)
  /** What a leaf is the hash of: the columns, and what stands around them. */
  readonly #entry = Buffer.alloc(2 * MOST_BYTES)
  /** What a commitment is the hash of. Should a value not fit, its hash is another, and the definition is asked. */
  readonly #input = Buffer.alloc(4 * MOST_BYTES)
  #line: Buffer = this.#entry
  #at = 0

  /** @returns The row of the line from `start` up to its line break at `end`, or `undefined` where that is not for this code to say. */
  read(line: Buffer, start: number, end: number): Intact | undefined {
    if (end - start > MOST_BYTES || !this.#split(line, start, end) || !this.#tells()) return undefined
    let leafHash: string | undefined
    try {
      leafHash = this.#leafHash()
    } catch {
      // No canonical form: for the definition to say.
    }
    if (leafHash === undefined || leafHash !== this.#text(FIELD.sealedHash)) return undefined
    return {
      seq: Number(this.#text(FIELD.seq)),
      id: this.#text(FIELD.id),
      recordedAtMs: milliseconds(this.#text(FIELD.recordedAt)),
      leafHash,
    }
  }

  /** Finds the fields. @returns Whether each is plain: as it is in the line it is in JSON, but for quotes around it. */
  #split(line: Buffer, start: number, end: number): boolean {
    this.#line = line
    this.#null.fill(0)
    this.#starts[0] = start
    let field = 0
    for (let at = start; at < end; at++) {
      const byte = line[at] as number
      if (byte === TAB) {
        if (++field === FIELDS) return false
        this.#starts[field] = at + 1
      } else if (byte < SPACE || (byte === QUOTE && !isJson(field))) {
        return false
      } else if (byte === BACKSLASH) {
        const next = at + 2
        if (at !== this.#starts[field] || line[at + 1] !== LETTER_N) return false
        if (next !== end && line[next] !== TAB) return false
        this.#null[field] = 1
        at++
      }
    }
    this.#starts[FIELDS] = end + 1
    return field === FIELDS - 1
  }

  /** Whether the row is there with all that every row has, and concerns no other. */
  #tells(): boolean {
    return (
      this.#null[FIELD.action] === 0 &&
      this.#null[FIELD.correlationId] === 0 &&
      this.#length(FIELD.rowHash) === 0 &&
      this.#length(FIELD.sealedHash) === HASH_HEX &&
      this.#length(FIELD.salt) === SALT_HEX &&
      !this.#is(FIELD.action, PURGE)
    )
  }

  #leafHash(): string {
    this.#at = 0
    for (const { lead, field } of BEFORE) {
      this.#put(lead)
      if (field === FIELD.createdAt) this.#quoted(instant(isoOf(milliseconds(this.#text(field)))))
      else if (field === FIELD.isImpersonating) this.#put(this.#byte(field) === LETTER_T ? TRUE : FALSE)
      else this.#column(field)
    }
    this.#personal()
    for (const { lead, field } of AFTER) {
      this.#put(lead)
      this.#column(field)
    }
    this.#put(END)
    return hash('sha256', this.#entry.subarray(0, this.#at), 'hex')
  }

  #personal(): void {
    const salt = this.#start(FIELD.salt)
    copy(this.#line, salt, salt + SALT_HEX, this.#input, 0)
    this.#input[SALT_HEX] = COLON
    this.#put(PERSONAL_OPEN)
    const none = this.#at
    for (const { name, lead, field } of PERSONAL) {
      if (this.#null[field] === 1) continue
      const value = SALT_HEX + 1 + name.length
      const end = isJson(field) ? this.#json(field, value) : this.#string(field, value)
      if (end !== value) this.#commit(none, lead, name, end)
    }
    if (this.#at === none) this.#commit(none, NONE.lead, NONE.name, SALT_HEX + 1 + NONE.name.length)
  }

  /** Adds the commitment to what the input holds up to `end`, once the column's name is before it. */
  #commit(none: number, lead: Buffer, name: Buffer, end: number): void {
    copy(name, 0, name.length, this.#input, SALT_HEX + 1)
    if (this.#at > none) this.#entry[this.#at++] = COMMA
    this.#put(lead)
    this.#at += this.#entry.write(hash('sha256', this.#input.subarray(0, end), 'hex'), this.#at, 'latin1')
    this.#entry[this.#at++] = QUOTE
  }

  /** Writes a column's text as JSON. @returns Where it ends. */
  #string(field: number, at: number): number {
    this.#input[at] = QUOTE
    const end = copy(this.#line, this.#start(field), this.#end(field), this.#input, at + 1)
    this.#input[end] = QUOTE
    return end + 1
  }

  /** Writes a column's JSON in its canonical form. @returns Where it ends; where it began for `null`, which is no value. */
  #json(field: number, at: number): number {
    const value = JSON.parse(this.#line.toString('utf8', this.#start(field), this.#end(field))) as unknown
    if (value === null) return at
    return at + this.#input.write(canonicalJson(value), at, 'utf8')
  }

  /** Adds a column to the entry. */
  #column(field: number): void {
    if (this.#null[field] === 1) return this.#put(NULL)
    this.#entry[this.#at++] = QUOTE
    this.#at = copy(this.#line, this.#start(field), this.#end(field), this.#entry, this.#at)
    this.#entry[this.#at++] = QUOTE
  }

  #quoted(text: string): void {
    this.#at += this.#entry.write(`"${text}"`, this.#at, 'latin1')
  }

  #put(piece: Buffer): void {
    this.#at = copy(piece, 0, piece.length, this.#entry, this.#at)
  }

  #start(field: number): number {
    return this.#starts[field] as number
  }

  #end(field: number): number {
    return (this.#starts[field + 1] as number) - 1
  }

  #length(field: number): number {
    return this.#end(field) - this.#start(field)
  }

  #byte(field: number): number | undefined {
    return this.#line[this.#start(field)]
  }

  #text(field: number): string {
    return this.#line.toString('latin1', this.#start(field), this.#end(field))
  }

  #is(field: number, text: Buffer): boolean {
    return this.#length(field) === text.length && this.#text(field) === text.toString('latin1')
  }
}

function isJson(field: number): boolean {
  return field >= FIELD.oldValue && field <= FIELD.metadata
}

/** For pieces this short, quicker than to ask for a native copy. @returns Where the copy ends. */
function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  for (let next = start; next < end; next++) to[at++] = from[next] as number
  return at
}
