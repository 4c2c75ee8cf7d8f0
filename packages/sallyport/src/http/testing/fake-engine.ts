/**
 * An engine for tests of the HTTP layer: two callers by name, and a list of what it was asked to record.
 *
 * @module
 */

import { SallyportError } from '../../errors.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { Caller } from '../../sessions/caller.ts'
import type { FailedRequest, HttpEngine } from '../engine.ts'

export interface FakeEngine extends HttpEngine {
  readonly failures: FailedRequest[]
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[]
  /** The purposes that the caller has passed. */
  readonly steppedUp: Set<string>
  /** What was asked, in order. */
  readonly asked: string[]
}

export function callerWith(permissions: readonly string[], more: Partial<Caller> = {}): Caller {
  return {
    tenantId: '0198c0de-0000-7000-8000-000000000001' as TenantId,
    userId: '0198c0de-0000-7000-8000-000000000002' as UserId,
    staffId: '0198c0de-0000-7000-8000-000000000003' as StaffId,
    sessionId: '0198c0de-0000-7000-8000-000000000004' as SessionId,
    kind: 'login',
    role: 'member',
    permissions: new Set(permissions),
    name: 'Ada',
    sessionVersion: 1,
    generation: 1,
    authTime: new Date(0),
    amr: ['pwd'],
    acr: '1',
    ...more,
  }
}

const CALLERS: Readonly<Record<string, Caller>> = {
  owner: callerWith(['SETTINGS_SECURITY_VIEW', 'SETTINGS_SECURITY_EDIT'], { role: 'owner' }),
  member: callerWith([]),
  impersonated: callerWith(['SETTINGS_SECURITY_EDIT'], { kind: 'impersonation' }),
}

export function fakeEngine(): FakeEngine {
  const failures: FailedRequest[] = []
  const logged: FakeEngine['logged'] = []
  const asked: string[] = []
  const steppedUp = new Set<string>()
  return {
    failures,
    logged,
    asked,
    steppedUp,
    async authenticate(credential) {
      asked.push('authenticate')
      if (credential === undefined) throw new SallyportError('MISSING_TOKEN', 'No token.')
      const caller = CALLERS[credential.token]
      if (caller === undefined) throw new SallyportError('INVALID_TOKEN', 'No such token.')
      return caller
    },
    async requireStepUp(_caller, purpose) {
      asked.push('requireStepUp')
      if (steppedUp.has(purpose)) return
      const facts = { purpose, factors: ['totp'] }
      throw new SallyportError('STEP_UP_REQUIRED', 'Verify to continue.', { facts })
    },
    async checkImpersonation(_caller, { whileImpersonating }) {
      asked.push('checkImpersonation')
      if (whileImpersonating === 'refused') throw new SallyportError('FORBIDDEN', 'Not while impersonating.')
    },
    async recordFailure(failure) {
      failures.push(failure)
    },
    log: {
      error(message, fields) {
        logged.push({ message, fields })
      },
    },
  }
}
