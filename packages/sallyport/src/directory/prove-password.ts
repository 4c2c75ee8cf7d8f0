/**
 * Asks a signed-in person for the password again.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { UserId } from '../ids.ts'
import type { Account } from '../store/contract/directory.ts'
import { verifyPassword } from './passwords.ts'
import { invalidCredentials } from './sign-in.ts'

/**
 * @returns The account, as it was when the password was right.
 * @throws SallyportError `INVALID_CREDENTIALS` for a wrong password, and for an account that has none.
 */
export async function provePassword(
  engine: Pick<Engine, 'store'>,
  userId: UserId,
  password: string,
): Promise<Account & { readonly passwordHash: string }> {
  const account = await engine.store.directory.account({ userId })
  const right = await verifyPassword(account?.passwordHash, password)
  if (!right || account === undefined || account.passwordHash === null || account.user.disabled)
    throw invalidCredentials()
  return { ...account, passwordHash: account.passwordHash }
}
