/**
 * The claims of an access token: what they are and how they are read.
 *
 * @module
 */

import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { isId } from '../ids.ts'
import type { TokenKind } from './token-kind.ts'

/** What an access token says (RFC 9068), with the names that it has on the wire. Times are seconds since 1970. */
export interface AccessTokenClaims {
  readonly iss: string
  readonly aud: string
  readonly sub: UserId
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly sid: SessionId
  readonly tenant_id: TenantId
  readonly staff_id: StaffId
  readonly session_version: number
  /** The refresh generation that the token was minted with. */
  readonly gen: number
  readonly auth_time: number
  readonly amr: readonly string[]
  readonly acr: string
  /** Under impersonation, the person acting (RFC 8693, section 4.1). */
  readonly act?: { readonly sub: UserId }
  /** The key that the token is bound to (RFC 9449, section 6.1). */
  readonly cnf?: { readonly jkt: string }
}

const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/

/** Access tokens, as told apart from every other JWT of this server. */
export const ACCESS_TOKEN: TokenKind<AccessTokenClaims> = {
  typ: 'at+jwt',
  read(payload, common) {
    const { sub, jti, sid, tenant_id, staff_id, session_version, gen, auth_time, amr, acr, act, cnf } = payload
    if (!isId(sub) || !isId(jti) || !isId(sid) || !isId(tenant_id) || !isId(staff_id)) return undefined
    if (!isCount(session_version) || !isCount(gen) || !isCount(auth_time)) return undefined
    if (!isNames(amr) || !isName(acr)) return undefined
    // Present in any other form than ours, `act` and `cnf` refuse the token: to read past them would turn an
    // impersonation into the person, and a bound token into a bearer one.
    const actor = act === undefined ? undefined : readActor(act)
    const binding = cnf === undefined ? undefined : readBinding(cnf)
    if ((act !== undefined && !actor) || (cnf !== undefined && !binding)) return undefined
    return {
      ...common,
      sub: sub as UserId,
      jti,
      sid: sid as SessionId,
      tenant_id: tenant_id as TenantId,
      staff_id: staff_id as StaffId,
      session_version,
      gen,
      auth_time,
      amr,
      acr,
      ...(actor && { act: actor }),
      ...(binding && { cnf: binding }),
    }
  },
}

function readActor(value: unknown): { readonly sub: UserId } | undefined {
  const sub = onlyMember(value, 'sub')
  return isId(sub) ? { sub: sub as UserId } : undefined
}

function readBinding(value: unknown): { readonly jkt: string } | undefined {
  const jkt = onlyMember(value, 'jkt')
  return typeof jkt === 'string' && THUMBPRINT.test(jkt) ? { jkt } : undefined
}

/** The one member of an object that has no other. */
function onlyMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 100
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 16 && value.every(isName)
}
