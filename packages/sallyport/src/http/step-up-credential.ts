/**
 * Reads the credential of the step-up endpoints: a session's access token, or the step-up token that a 428 handed out.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import { SallyportError } from '../errors.ts'
import { failureRecorded, isFailureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { SteppingUp } from '../step-up/actor.ts'
import { readStepUpToken, STEP_UP_TOKEN } from '../step-up/step-up-token.ts'
import type { FactorType } from '../store/contract/step-up.ts'
import type { Credential } from './credential.ts'
import type { ApiEngine } from './routes/engine.ts'

/**
 * Establishes who steps up and does the work for them. What is refused to a known caller is recorded under their name.
 *
 * @throws SallyportError as the credential's kind does, and as `work` does.
 */
export async function asSteppingUp<T>(
  guard: ApiEngine,
  {
    credential,
    request,
    action,
    asked,
  }: {
    readonly credential: Credential
    readonly request: RequestFacts
    readonly action: AuditAction
    /** What for and with what, as the client named them: in the row of a refusal as in every other. */
    readonly asked: { readonly purpose: string; readonly factor: FactorType }
  },
  work: (by: SteppingUp) => Promise<T>,
): Promise<T> {
  const { token } = credential
  if (kindOf(token) === STEP_UP_TOKEN.typ) return work({ claims: await readStepUpToken(guard.engine, token) })
  const caller = await guard.authenticate(credential, request)
  try {
    return await work({ caller })
  } catch (error) {
    if (!(error instanceof SallyportError) || isFailureRecorded(error)) throw error
    await guard.recordFailure({ action, code: error.code, caller, request, resource: 'step_up', metadata: asked })
    throw failureRecorded(error)
  }
}

/** What the token says it is; whichever it is, it is verified as that and as nothing else. */
function kindOf(token: string): unknown {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'))
    return (header as { readonly typ?: unknown } | null)?.typ
  } catch {
    return undefined
  }
}
