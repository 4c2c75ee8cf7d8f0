/**
 * Makes the short name of a tenant that stands in addresses.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { isId } from '../ids.ts'

const MAX_LENGTH = 40
const NUMBERED = 4

/** What to try, in this order: the name itself, numbered ones, and one that is as good as surely free. */
export function slugsFor(tenantName: string): readonly string[] {
  const base = slugOf(tenantName)
  const numbered = Array.from({ length: NUMBERED }, (_, index) => `${base}-${index + 2}`)
  return [base, ...numbered, `${base}-${randomBytes(6).toString('hex')}`]
}

function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LENGTH)
    .replaceAll(/^-+|-+$/g, '')
  // A tenant is named by slug or by id: one must not look like the other.
  return slug === '' || isId(slug) ? `tenant-${slug}`.replace(/-$/, '').slice(0, MAX_LENGTH) : slug
}
