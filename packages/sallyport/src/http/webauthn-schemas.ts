/**
 * What browsers send of passkeys (WebAuthn's JSON forms), bounded.
 *
 * @module
 */

import { z } from 'zod'
import { nameSchema, publish } from './published.ts'
import { opaque } from './schemas.ts'

const ID = 1400
const base64url = (max: number): z.ZodString =>
  opaque(max, { pattern: '^[A-Za-z0-9_-]+$' }).regex(/^[A-Za-z0-9_-]+$/, 'must be base64url') as z.ZodString

const flat = z.union([z.boolean(), opaque(1024, { min: 0 })])
const record = <T extends z.ZodType>(value: T) =>
  publish(
    z.record(opaque(64), value).refine((entries) => Object.keys(entries).length <= 16, {
      error: 'must have at most 16 entries',
    }),
    { maxProperties: 16 },
  )

const credential = {
  id: base64url(ID),
  rawId: base64url(ID),
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullable().optional(),
  clientExtensionResults: record(z.union([flat, record(flat)])),
}

/** `PublicKeyCredential.toJSON()` of `navigator.credentials.get()`. */
export const assertion = nameSchema(
  'PasskeyAssertion',
  z.strictObject({
    ...credential,
    response: z.strictObject({
      clientDataJSON: base64url(4096),
      authenticatorData: base64url(4096),
      signature: base64url(4096),
      userHandle: base64url(128).nullable().optional(),
    }),
  }),
)

/** `PublicKeyCredential.toJSON()` of `navigator.credentials.create()`. */
export const registration = nameSchema(
  'PasskeyRegistration',
  z.strictObject({
    ...credential,
    response: z.strictObject({
      clientDataJSON: base64url(4096),
      attestationObject: base64url(16_384),
      authenticatorData: base64url(4096).optional(),
      publicKey: base64url(4096).optional(),
      publicKeyAlgorithm: z.int().min(-65_536).max(65_536).optional(),
      transports: z.array(opaque(32)).max(16).optional(),
    }),
  }),
)

const transports = z.array(z.string()).optional()
const descriptor = z.strictObject({ id: z.string(), type: z.literal('public-key'), transports })

/** For `PublicKeyCredential.parseCreationOptionsFromJSON()`. */
export const creationOptions = nameSchema(
  'PasskeyCreationOptions',
  z.looseObject({
    rp: z.strictObject({ id: z.string().optional(), name: z.string() }),
    user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
    challenge: z.string(),
    excludeCredentials: z.array(descriptor).optional(),
  }),
)

/** For `PublicKeyCredential.parseRequestOptionsFromJSON()`. */
export const requestOptions = nameSchema(
  'PasskeyRequestOptions',
  z.looseObject({
    rpId: z.string().optional(),
    challenge: z.string(),
    allowCredentials: z.array(descriptor).optional(),
    userVerification: z.string().optional(),
  }),
)
