/**
 * Asks for an assertion: what the browser is to sign with a passkey.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { SteppingUp } from './actor.ts'
import { actingFor } from './actor.ts'
import { passkey, PASSKEY_TTL_MS, rpIdOf } from './factors/passkey.ts'
import { sessionEnded } from './refusal.ts'
import { webauthn } from './factors/webauthn.ts'

const CHALLENGE_BYTES = 32

/**
 * Keeps a challenge for one purpose of this one session or sign-in, and returns the options of the ceremony. It takes the place of an
 * older one, lives for five minutes, and is spent by the first answer.
 *
 * @throws SallyportError `INVALID_REQUEST` for a purpose that there is not, `NO_FACTOR` without a passkey that works,
 * `SESSION_REVOKED` or `INVALID_TOKEN` when the session or the sign-in is over.
 */
export async function passkeyOptions(
  engine: Engine,
  by: SteppingUp,
  { purpose }: { readonly purpose: string },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { actor } = actingFor(engine.settings, by, purpose)
  const challenge = randomBytes(CHALLENGE_BYTES)
  const outcome = await engine.store.stepUp.passkeyOptions({
    ...actor,
    challengeId: newId<ChallengeId>(),
    purpose,
    challenge: challenge.toString('base64url'),
    ttlMs: PASSKEY_TTL_MS,
  })
  switch (outcome.kind) {
    case 'begun':
      return (await webauthn()).generateAuthenticationOptions({
        rpID: rpIdOf(engine.settings),
        challenge: new Uint8Array(challenge),
        timeout: PASSKEY_TTL_MS,
        userVerification: 'required',
        allowCredentials: outcome.credentials.map(({ credentialId, transports }) => ({
          id: credentialId,
          transports: [...transports] as never,
        })),
      })
    case 'not-enrolled':
      throw new SallyportError('NO_FACTOR', 'There is no passkey on this account.', {
        ...(!outcome.others && { facts: { factors: [] } }),
      })
    case 'disabled':
      throw new SallyportError('NO_FACTOR', `The ${passkey.named} was disabled after too many wrong tries.`)
    case 'session-ended':
      throw 'caller' in by ? sessionEnded() : new SallyportError('INVALID_TOKEN', 'What this token was for is over.')
  }
}
