/**
 * What the compiler knows of a host's own permissions and purposes.
 *
 * @module
 */

import type { SallyportOptions } from './options.ts'
import { sallyport } from './sallyport.ts'
import type { Caller } from './sessions/caller.ts'

declare const common: Pick<SallyportOptions, 'store' | 'issuer' | 'secrets'>
declare const caller: Caller

const guard = sallyport({
  ...common,
  permissions: { INVOICES_EDIT: { roles: ['admin'] }, PAYOUTS: {} },
  stepUp: { purposes: { payout: { window: '1m', singleUse: true } } },
})
guard.requirePermission(caller, 'INVOICES_EDIT')
guard.requirePermission(caller, 'PAYOUTS')
guard.requirePermission(caller, 'SETTINGS_TEAM_EDIT')
// @ts-expect-error a permission that nobody registered is none
guard.requirePermission(caller, 'INVOICES_DELETE')
// @ts-expect-error permissions are spelt as they were registered
guard.requirePermission(caller, 'payouts')
// @ts-expect-error a purpose is no permission
guard.requirePermission(caller, 'payout')

void guard.stepUp.require(caller, 'payout')
void guard.stepUp.require(caller, 'data_export', { windowMs: 60_000 })
// @ts-expect-error a purpose that nobody registered is none
void guard.stepUp.require(caller, 'payday')
// @ts-expect-error a purpose of one moment cannot be asked of a session
void guard.stepUp.require(caller, 'sign_in')
void guard.stepUp.verify(caller, { purpose: 'payout', code: '123456', request: {} })
// @ts-expect-error nor can another be stepped up for
void guard.stepUp.verify(caller, { purpose: 'payday', code: '123456', request: {} })
void guard.stepUp.sendEmailCode(caller, { purpose: 'payout', request: {} })
void guard.stepUp.sendEmailCode({ stepUpToken: 'x' }, { purpose: 'sign_in', request: {} })
// @ts-expect-error nor can a code be asked for it
void guard.stepUp.sendEmailCode(caller, { purpose: 'payday', request: {} })
// @ts-expect-error nor a passkey
void guard.stepUp.passkeyOptions(caller, { purpose: 'payday' })

const plain = sallyport(common)
plain.requirePermission(caller, 'SETTINGS_SECURITY_VIEW')
// @ts-expect-error without a host's own there are the built-in ones
plain.requirePermission(caller, 'INVOICES_EDIT')
void plain.stepUp.require(caller, 'impersonate')
// @ts-expect-error the same of purposes
void plain.stepUp.require(caller, 'payout')

sallyport({
  ...common,
  // @ts-expect-error a role that there is not
  permissions: { INVOICES_EDIT: { roles: ['boss'] } },
})
sallyport({
  ...common,
  // @ts-expect-error a window is a duration
  stepUp: { purposes: { payout: { window: 'a while' } } },
})
