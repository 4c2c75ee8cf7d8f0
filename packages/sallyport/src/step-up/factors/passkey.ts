/**
 * Passkeys: WebAuthn credentials that verify their user, bound to this service's name and origins.
 *
 * @module
 */

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { Engine } from '../../engine.ts'
import type { FactorId, UserId } from '../../ids.ts'
import type { Settings } from '../../options.ts'
import { open, seal } from '../../secrets/seal.ts'
import type { PasskeyJudge, PasskeyUse, VerifiedPasskey } from '../../store/contract/step-up.ts'
import type { Factor } from '../factor.ts'
import { webauthn } from './webauthn.ts'

/** How long a ceremony may take (ASVS 6.7.2). */
export const PASSKEY_TTL_MS = 5 * 60_000

/** As many as a person can tell apart. */
export const MOST_PASSKEYS = 10

/** A session cannot step up for it: the challenge of an enrolment opens nothing. */
export const ENROLMENT_PURPOSE = 'passkey_enrolment'

export const passkey: Factor = {
  named: 'passkey',
  amr: 'hwk',
  field: 'assertion',
  missing: 'NO_FACTOR',
  usable: ({ enrolled }) => enrolled.some(({ type, disabledAt }) => type === 'passkey' && disabledAt === null),
  proofOf: (engine, { userId, assertion }) => ({
    factor: 'passkey',
    credentialId: credentialIdOf(assertion),
    judge: assertionJudge(engine, userId, assertion),
  }),
}

/** The name that passkeys are bound to: the issuer's host. A browser lets no other site use them. */
export function rpIdOf({ issuer }: Pick<Settings, 'issuer'>): string {
  return new URL(issuer).hostname
}

/** The person as authenticators know them: an id that says nothing (WebAuthn section 5.4.3). */
export function userHandleOf(userId: UserId): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(userId.replaceAll('-', ''), 'hex'))
}

/** Holds an assertion against the stored passkey: its challenge, origin, name, signature, user verification and counter. */
function assertionJudge(
  { secrets, settings }: Pick<Engine, 'secrets' | 'settings'>,
  userId: UserId,
  assertion: unknown,
): PasskeyJudge {
  return async (stored, challenge): Promise<PasskeyUse | undefined> => {
    const response = assertion as AuthenticationResponseJSON
    // The key is opened outside of the net below: a row that somebody else wrote is a fault, and no wrong guess.
    const publicKey = new Uint8Array(open(secrets, stored.sealedKey, placeOf(stored.factorId, userId)))
    try {
      const { userHandle } = response.response
      if (userHandle !== undefined && !Buffer.from(userHandle, 'base64url').equals(userHandleOf(userId))) {
        return undefined
      }
      const { verified, authenticationInfo } = await (await webauthn()).verifyAuthenticationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: [...settings.allowedOrigins],
        expectedRPID: rpIdOf(settings),
        // A counter that does not rise where there is one means that the key exists twice: refused.
        credential: { id: stored.credentialId, publicKey, counter: stored.signCount },
        requireUserVerification: true,
      })
      if (!verified) return undefined
      return { signCount: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp }
    } catch {
      // Whatever the library found wrong with what a client sent, the answer is the same.
      return undefined
    }
  }
}

/** Holds a registration against the challenge, and seals its key to the row that it is to have. */
export function registrationJudge(
  { secrets, settings }: Pick<Engine, 'secrets' | 'settings'>,
  factorId: FactorId,
  userId: UserId,
  response: unknown,
): (challenge: string) => Promise<VerifiedPasskey | undefined> {
  return async (challenge) => {
    try {
      const { verified, registrationInfo } = await (await webauthn()).verifyRegistrationResponse({
        response: response as RegistrationResponseJSON,
        expectedChallenge: challenge,
        expectedOrigin: [...settings.allowedOrigins],
        expectedRPID: rpIdOf(settings),
        requireUserVerification: true,
      })
      if (!verified) return undefined
      const { credential, credentialBackedUp } = registrationInfo
      return {
        credentialId: credential.id,
        sealedKey: seal(secrets, credential.publicKey, placeOf(factorId, userId)),
        signCount: credential.counter,
        transports: (credential.transports ?? []).slice(0, 8),
        backedUp: credentialBackedUp,
      }
    } catch {
      return undefined
    }
  }
}

function credentialIdOf(assertion: unknown): string | undefined {
  const id = (assertion as Partial<AuthenticationResponseJSON> | undefined)?.id
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,1400}$/.test(id) ? id : undefined
}

function placeOf(factorId: FactorId, userId: UserId): string {
  return `mfa_factors:${factorId}:${userId}:passkey`
}
