/**
 * One's own second factors.
 *
 * @module
 */

import type { Operations } from '@sallyport/client'
import { createPasskey } from '@sallyport/client'
import { useContextOf, useMessages } from '../context.ts'
import type { Loaded } from './query.ts'
import { useKey, useLoaded } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export type Factors = Operations['listFactors']['output']
export type EnrolledFactor = Factors['factors'][number]

/** What an authenticator app is given. */
export type TotpSetup = Operations['beginTotp']['output']

export interface Mfa extends Loaded<Factors> {
  /** Begins with an authenticator app. A first factor may need the password: `INVALID_CREDENTIALS` without it. */
  readonly beginTotp: Action<{ readonly password?: string | undefined }, TotpSetup>
  readonly confirmTotp: Action<
    { readonly factorId: string; readonly code: string },
    { readonly recoveryCodes: readonly string[] }
  >
  /** Has the browser make a passkey, and enrols it. */
  readonly addPasskey: Action<
    { readonly label: string; readonly password?: string | undefined },
    { readonly recoveryCodes: readonly string[] }
  >
  readonly remove: Action<string, unknown>
  readonly regenerate: Action<void, { readonly recoveryCodes: readonly string[] }>
}

export function useMfa(): Mfa {
  const { client } = useContextOf('useMfa')
  const { mfa } = useMessages()
  const key = useKey()
  const refreshes = [key('mfa'), key('team')]
  return {
    ...useLoaded(['mfa'], ({ api }, signal) => api.listFactors({}, { signal })),
    beginTotp: useAction(({ password }) => client.api.beginTotp(password === undefined ? {} : { password })),
    confirmTotp: useAction((input) => client.api.confirmTotp(input), { refreshes, notice: () => mfa.totpAdded }),
    addPasskey: useAction(
      async ({ label, password }) => {
        const options = await client.api.beginPasskey(password === undefined ? {} : { password })
        const response = await createPasskey(options)
        return client.api.enrolPasskey({ response, ...(label === '' ? {} : { label }) })
      },
      { refreshes, notice: () => mfa.passkeyAdded },
    ),
    remove: useAction((id: string) => client.api.removeFactor({ id }), {
      refreshes: [...refreshes, key('sessions')],
      notice: () => mfa.removed,
    }),
    regenerate: useAction(() => client.api.regenerateRecoveryCodes(), {
      refreshes,
      notice: () => mfa.recoveryMade,
    }),
  }
}
