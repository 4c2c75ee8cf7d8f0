/**
 * Starts the enrolment of an authenticator app: makes the secret that the app is to keep.
 *
 * @module
 */

import { renderSVG } from 'uqr'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import type { FactorId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { FactorOwner, TotpBeginOutcome } from '../store/contract/step-up.ts'
import { base32 } from './factors/base32.ts'
import { newTotpSecret, sealTotpSecret } from './factors/totp.ts'
import { proveOwner, unprovenCode, unprovenError } from './prove-owner.ts'

export interface BeginTotpInput {
  readonly request: RequestFacts
  /** Proves the person where the sign-in is too old to do so. Not looked at when a factor is enrolled already. */
  readonly password?: string | undefined
}

export interface BegunTotp {
  readonly factorId: FactorId
  /** Base32. Shown now and never again. */
  readonly secret: string
  readonly otpauthUrl: string
  /** The URL as a QR code: an `<svg>` element. */
  readonly qrSvg: string
}

/**
 * Makes a secret and keeps it, sealed, until a code confirms that the app has it. A begun enrolment opens nothing, and the next
 * one takes its place.
 *
 * Who enrols is proven as for every factor.
 *
 * @throws SallyportError `ALREADY_ENROLLED`, `INVALID_REQUEST` naming `password` where it is asked for, `STEP_UP_REQUIRED`, and
 * `INVALID_CREDENTIALS` or `RATE_LIMITED` for a password that is wrong.
 */
export async function beginTotp(engine: Engine, caller: Caller, input: BeginTotpInput): Promise<BegunTotp> {
  const proof = await proveOwner(engine, caller, { password: input.password, onlyOne: 'totp' })

  const factorId = newId<FactorId>()
  const secret = newTotpSecret()
  const outcome = await engine.store.stepUp.beginTotp(
    {
      tenantId: caller.tenantId,
      userId: caller.userId,
      sessionId: caller.sessionId,
      factorId,
      label: 'Authenticator app',
      sealedSecret: sealTotpSecret(engine.secrets, secret, factorId, caller.userId),
      ...proof,
    },
    (result, now) => {
      // Beginning enrols nothing, and is recorded only where it is refused.
      if (result.kind === 'begun') return []
      return [
        auditRow(
          {
            ...actor(caller),
            action: 'MFA_ENROLLED',
            outcome: 'FAIL',
            failureReason: codeOf(result),
            resource: 'mfa_factor',
            metadata: { factor: 'totp', stage: 'begin' },
            request: input.request,
          },
          now,
        ),
      ]
    },
  )
  if (outcome.kind !== 'begun') throw failureRecorded(refused(outcome))

  const otpauthUrl = otpauthUrlOf(engine.settings.issuer, outcome.owner, base32(secret))
  return { factorId, secret: base32(secret), otpauthUrl, qrSvg: renderSVG(otpauthUrl, { border: 2 }) }
}

type Refused = Exclude<TotpBeginOutcome, { readonly kind: 'begun' }>

function codeOf(outcome: Refused): ErrorCode {
  return outcome.kind === 'already-enrolled' ? 'ALREADY_ENROLLED' : unprovenCode(outcome)
}

function refused(outcome: Refused): SallyportError {
  if (outcome.kind !== 'already-enrolled') return unprovenError(outcome)
  return new SallyportError(
    'ALREADY_ENROLLED',
    'This account has an authenticator app. Remove it before adding another.',
  )
}

/** The key URI that authenticator apps read. Algorithm, digits and period are the format's defaults, which all apps agree on. */
function otpauthUrlOf(issuer: string, owner: FactorOwner, secret: string): string {
  const service = new URL(issuer).hostname
  const label = `${encodeURIComponent(service)}:${encodeURIComponent(owner.email ?? owner.name)}`
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(service)}`
}
