/**
 * Sealed rows as text: what a verifier reads by the million, so that it can be handed to another thread without taking it apart.
 *
 * @module
 */

import type { LeafRow } from '../../audit/leaf.ts'
import type { AuditRow } from '../../audit/record.ts'

/** A leaf as it is sealed, with the row that it is of where that still is. Hashes are in hexadecimal. */
export interface SealedRow {
  readonly seq: number
  readonly id: string
  readonly leafHash: string
  /** Milliseconds since 1970. */
  readonly recordedAtMs: number
  readonly row: (LeafRow & { readonly leafHash: string }) | undefined
}

/** A row's columns as PostgreSQL writes them, in the order of {@link SEALED_COLUMNS}. */
export type SealedFields = readonly (string | null)[]

/**
 * What a line of a page holds, in this order: columns of the seal `s`, and of the audit row `l`, all null where that is gone.
 * Moments are seconds since 1970 with their fraction, hashes and salts hexadecimal; `leaf_hash` of the audit row is empty
 * where it is that of the seal, which it nearly always is.
 */
export const SEALED_COLUMNS = `s.seq, s.id, encode(s.leaf_hash, 'hex'), date_part('epoch', s.recorded_at),
  case when l.leaf_hash = s.leaf_hash then '' else encode(l.leaf_hash, 'hex') end, l.tenant_id,
  date_part('epoch', l.created_at), l.action, l.outcome, l.failure_reason, l.user_id, l.actor_name, l.staff_id, l.session_id,
  l.real_user_id, l.is_impersonating, l.resource, l.resource_id, l.old_value, l.new_value, l.metadata, l.ip_address, l.country,
  l.city, l.user_agent, l.correlation_id, encode(l.salt, 'hex')`

const TAB = '\t'
const LINE_BREAK = 0x0a
const NULL = String.raw`\N`
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': String.raw`\\`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
}
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Writes a line of a page: the text format of PostgreSQL's COPY. */
export function sealedLine(fields: SealedFields): string {
  const cell = (field: string | null): string =>
    field === null ? NULL : field.replaceAll(/[\\\n\r\t]/g, (sign) => ESCAPES[sign] ?? sign)
  return `${fields.map(cell).join(TAB)}\n`
}

/** Takes a page apart: whole lines. Nothing is kept of its bytes. */
export function readSealedRows(page: Buffer, each: (row: SealedRow) => void): void {
  for (let at = 0; at < page.length; ) {
    const found = page.indexOf(LINE_BREAK, at)
    const end = found < 0 ? page.length : found
    each(sealedRow(fieldsOf(page.toString('utf8', at, end))))
    at = end + 1
  }
}

function fieldsOf(line: string): SealedFields {
  const fields: (string | null)[] = line.split(TAB)
  if (!line.includes('\\')) return fields
  // By index: of a row's columns a third are null, and this runs for each of millions of rows.
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] as string
    if (field === NULL) fields[at] = null
    else if (field.includes('\\')) {
      fields[at] = field.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPED[letter] ?? letter)
    }
  }
  return fields
}

function sealedRow(fields: SealedFields): SealedRow {
  const text = (at: number): string | null => fields[at] ?? null
  const id = String(fields[1])
  const leafHash = String(fields[2])
  const seal = { seq: Number(fields[0]), id, leafHash, recordedAtMs: milliseconds(fields[3]) }
  // No audit row is without an action.
  if (text(7) === null) return { ...seal, row: undefined }
  return {
    ...seal,
    row: {
      id,
      leafHash: fields[4] === '' ? leafHash : String(fields[4]),
      tenantId: text(5),
      createdAt: isoOf(milliseconds(fields[6])),
      action: fields[7] as AuditRow['action'],
      outcome: fields[8] as AuditRow['outcome'],
      failureReason: text(9),
      userId: text(10),
      actorName: text(11),
      staffId: text(12),
      sessionId: text(13),
      realUserId: text(14),
      isImpersonating: fields[15] === 't',
      resource: text(16),
      resourceId: text(17),
      oldValue: parsed(fields[18]),
      newValue: parsed(fields[19]),
      metadata: parsed(fields[20]),
      ipAddress: text(21),
      country: text(22),
      city: text(23),
      userAgent: text(24),
      correlationId: String(fields[25]),
      // Never null in a row that this code wrote: one that is does not hash to its leaf.
      salt: text(26) ?? '',
    },
  }
}

function parsed(json: string | null | undefined): unknown {
  return json == null ? null : (JSON.parse(json) as unknown)
}

function milliseconds(epoch: string | null | undefined): number {
  return Math.round(Number(epoch) * 1000)
}

let second = Number.NaN
let upToSecond = ''

/** ISO 8601 of a moment, or what is none for a moment beyond all calendars. Rows come in the order of time, many to a second. */
function isoOf(ms: number): string {
  const now = Math.floor(ms / 1000)
  if (now !== second) {
    second = now
    const at = new Date(now * 1000)
    upToSecond = Number.isNaN(at.getTime()) ? '' : at.toISOString().slice(0, -4)
  }
  return `${upToSecond}${String(ms - now * 1000).padStart(3, '0')}Z`
}
