/**
 * The one-time token of a link that is sent by mail.
 *
 * @module
 */

import { createHash, randomBytes } from 'node:crypto'
import { SallyportError } from '../errors.ts'
import { newId } from '../ids.ts'
import type { LinkKind, NewLink } from '../store/contract/directory.ts'

/** Recognisable, so that secret scanners and the redactor find leaks. */
const FORM = /^spot_[A-Za-z0-9_-]{43}$/

const HOUR = 3_600_000

/** How long a link of each kind can be used. */
export const LINK_TTL_MS: Readonly<Record<LinkKind, number>> = {
  invitation: 7 * 24 * HOUR,
  email_verification: 24 * HOUR,
  email_change: 24 * HOUR,
  password_reset: HOUR,
}

/** A fresh token: `raw` goes into the mail and nowhere else, the rest into the store. */
export function newLink(kind: LinkKind): { readonly raw: string; readonly link: NewLink } {
  const raw = `spot_${randomBytes(32).toString('base64url')}`
  return { raw, link: { id: newId(), tokenHash: hashOf(raw), ttlMs: LINK_TTL_MS[kind] } }
}

/**
 * The hash to look a presented token up by. With 256 random bits behind it, a plain hash is enough.
 *
 * @throws SallyportError `LINK_INVALID` for what this server cannot have issued, before any database is asked.
 */
export function hashOfPresented(token: string): Uint8Array {
  if (!FORM.test(token)) throw linkInvalid()
  return hashOf(token)
}

/** Spent, expired, replaced, or never issued: the answer is the same. */
export function linkInvalid(): SallyportError {
  return new SallyportError('LINK_INVALID', 'this link was used, has expired or never was; ask for a new one')
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
