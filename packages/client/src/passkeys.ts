/**
 * The browser's part of passkeys: from the API's options to what the API takes, in WebAuthn's JSON forms.
 *
 * @module
 */

import { fromBase64url, toBase64url } from './base64url.ts'
import { SallyportError } from './errors.ts'
import type {
  PasskeyAssertion,
  PasskeyCreationOptions,
  PasskeyRegistration,
  PasskeyRequestOptions,
} from './generated/api.ts'

/** Whether this browser can use passkeys at all. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function'
}

/**
 * Makes a passkey: the answer goes to `client.api.enrolPasskey({ response })`.
 *
 * @param options Of `client.api.beginPasskey()`.
 * @throws SallyportError `PASSKEY_CANCELLED`.
 */
export function createPasskey(options: PasskeyCreationOptions): Promise<PasskeyRegistration> {
  const { user, excludeCredentials } = options
  const more = { user: withBytes(user), excludeCredentials: excludeCredentials?.map(withBytes) }
  return ceremony('create', options, more, ['attestationObject'])
}

/**
 * Has the browser sign with a passkey: the answer goes to `demand.verify({ factor: 'passkey', assertion })`.
 *
 * @param options Of `demand.passkeyOptions()`.
 * @throws SallyportError `PASSKEY_CANCELLED`.
 */
export function getPasskey(options: PasskeyRequestOptions): Promise<PasskeyAssertion> {
  const more = { allowCredentials: options.allowCredentials?.map(withBytes) }
  return ceremony('get', options, more, ['authenticatorData', 'signature', 'userHandle'])
}

/** By hand: browsers from before 2025 have no JSON forms of these. */
async function ceremony<T>(
  name: 'create' | 'get',
  options: { readonly challenge: string },
  more: object,
  fields: readonly string[],
): Promise<T> {
  try {
    const publicKey = { ...options, ...more, challenge: fromBase64url(options.challenge) } as never
    const { id, rawId, type, authenticatorAttachment, response } = (await navigator.credentials[name]({
      publicKey,
    })) as PublicKeyCredential
    const given = response as unknown as Readonly<Record<string, ArrayBuffer | null>>
    const sent = ['clientDataJSON', ...fields].flatMap((field) =>
      given[field] ? [[field, toBase64url(given[field])]] : [],
    )
    return {
      ...{ id, rawId: toBase64url(rawId), type, authenticatorAttachment, clientExtensionResults: {} },
      response: {
        ...Object.fromEntries(sent),
        transports: (response as Partial<AuthenticatorAttestationResponse>).getTransports?.(),
      },
    } as T
  } catch (cause) {
    throw new SallyportError('PASSKEY_CANCELLED', 'no passkey was used', { cause })
  }
}

function withBytes<T extends { readonly id: string }>(one: T) {
  return { ...one, id: fromBase64url(one.id) }
}
