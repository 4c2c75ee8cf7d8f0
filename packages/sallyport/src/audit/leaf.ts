/**
 * The leaf of an audit row: the hash that its tenant's Merkle tree is built from.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { AuditRow } from './record.ts'

/**
 * Columns with personal data enter as salted commitments, so that erasing a person (salt and values) keeps every proof whole.
 * In the order of RFC 8785, by code unit.
 */
const PERSONAL = [
  'actorName',
  'city',
  'country',
  'ipAddress',
  'metadata',
  'newValue',
  'oldValue',
  'userAgent',
] as const satisfies readonly (keyof AuditRow)[]

/** What a tile of a log can hold (C2SP tlog-tiles): the length of an entry is written in 16 bits. */
const MAX_ENTRY_BYTES = 65_535

/** What a leaf is made of: a row, with its time and its salt as they are or as text, such as exports and COPY give. */
export interface LeafRow extends Omit<AuditRow, 'id' | 'leafHash' | 'createdAt' | 'salt'> {
  readonly id: string
  /** As text: ISO 8601 in UTC with milliseconds. */
  readonly createdAt: Date | string
  /** As text: hexadecimal. */
  readonly salt: Uint8Array | string
}

/**
 * The canonical entry of a row: RFC 8785 JSON of its stable columns, personal ones committed under the row's salt.
 *
 * Written out instead of handed to {@link canonicalJson}: every audited request pays for it, and its members are known.
 */
export function leafEntry(row: LeafRow): string {
  return `{"action":${text(row.action)},"correlationId":${text(row.correlationId)},"createdAt":"${instant(row.createdAt)}","failureReason":${text(row.failureReason)},"id":${text(row.id)},"isImpersonating":${row.isImpersonating},"outcome":${text(row.outcome)},"personal":{${commitments(row)}},"realUserId":${text(row.realUserId)},"resource":${text(row.resource)},"resourceId":${text(row.resourceId)},"sessionId":${text(row.sessionId)},"staffId":${text(row.staffId)},"tenantId":${text(row.tenantId)},"userId":${text(row.userId)},"v":1}`
}

/**
 * SHA-256(0x00 ‖ entry) in hexadecimal, RFC 6962 section 2.1: the first byte keeps leaves apart from nodes.
 *
 * @throws TypeError for a value without a canonical form, and for an entry that no tile could hold.
 */
export function leafHashHex(row: LeafRow): string {
  const entry = leafEntry(row)
  // No character takes more than three bytes for each of its units.
  if (entry.length > MAX_ENTRY_BYTES / 3 && Buffer.byteLength(entry) > MAX_ENTRY_BYTES) {
    throw new TypeError(`audit: a row has at most ${MAX_ENTRY_BYTES} bytes without its personal columns`)
  }
  return hash('sha256', `\u0000${entry}`, 'hex')
}

/** The same as bytes. @throws TypeError as {@link leafHashHex} does. */
export function leafHash(row: LeafRow): Buffer {
  return Buffer.from(leafHashHex(row), 'hex')
}

function instant(at: Date | string): string {
  if (typeof at !== 'string') return at.toISOString()
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at)) throw new TypeError('audit: a time is not as it is written')
  return at
}

function commitments(row: LeafRow): string {
  const salt = typeof row.salt === 'string' ? row.salt : Buffer.from(row.salt).toString('hex')
  if (!/^(?:[0-9a-f]{32})?$/.test(salt)) throw new TypeError('audit: a salt has 16 bytes')
  let members = ''
  for (const column of PERSONAL) {
    const value = row[column]
    if (value === null) continue
    members += `${members === '' ? '' : ','}"${column}":"${commitment(salt, column, canonicalJson(value))}"`
  }
  // A row without personal data is bound to its salt all the same: no column of a row can change unseen.
  return members === '' ? `"none":"${commitment(salt, 'none', 'null')}"` : members
}

function commitment(salt: string, column: string, value: string): string {
  // The salt's length is fixed and a column's name holds no colon, so no two inputs read alike.
  return hash('sha256', `${salt}:${column}:${value}`, 'hex')
}

function text(value: string | null): string {
  return value === null ? 'null' : canonicalJson(value)
}
