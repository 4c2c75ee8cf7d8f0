/**
 * Lets an operation through only for a caller who holds a permission.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'

/**
 * What the caller holds is read from the live view at each request, so that a grant taken away bites at the next one.
 *
 * @throws SallyportError `FORBIDDEN`.
 */
export function requirePermission(caller: Pick<Caller, 'permissions'>, permission: string): void {
  if (!caller.permissions.has(permission)) {
    throw new SallyportError('FORBIDDEN', `This needs the permission ${permission}.`)
  }
}
