import { expect, test } from 'vitest'
import { openInProcess } from '../../../../../tests/support/in-process.ts'

const VERIFY = '/api/security/step-up/verify'
const CODE = '/api/security/step-up/email-code'
const OPTIONS = '/api/security/step-up/passkey-options'

test('whatever a step-up is refused for, its row says for which purpose and with which factor', async () => {
  const api = await openInProcess({ rateLimits: { stepUp: { subject: 4 } } })
  try {
    const { accessToken: token, tenantId } = await api.signUp()
    const refused = async (path: string, body: Readonly<Record<string, string>>) =>
      (await api.send('POST', path, { body, token })).body.error
    const tries = [
      [VERIFY, { purpose: 'no_such_thing', code: '123456' }, 'INVALID_REQUEST', 'no_such_thing', 'totp'],
      [
        VERIFY,
        { purpose: 'revoke_session', factor: 'passkey', code: '1' },
        'INVALID_REQUEST',
        'revoke_session',
        'passkey',
      ],
      [VERIFY, { purpose: 'force_logout', code: '123456' }, 'NO_FACTOR', 'force_logout', 'totp'],
      [VERIFY, { purpose: 'force_logout', factor: 'totp', code: '1' }, 'TOTP_NOT_ENABLED', 'force_logout', 'totp'],
      [
        VERIFY,
        { purpose: 'impersonate', factor: 'recovery_code', code: '1' },
        'RATE_LIMITED',
        'impersonate',
        'recovery_code',
      ],
      [OPTIONS, { purpose: 'data_export' }, 'NO_FACTOR', 'data_export', 'passkey'],
      [CODE, { purpose: 'no_such_thing' }, 'INVALID_REQUEST', 'no_such_thing', 'email_code'],
    ] as const
    for (const [path, body, error] of tries) expect(await refused(path, body)).toBe(error)
    const rows = await api.rows(`select failure_reason, metadata from audit_logs
      where tenant_id = '${tenantId}' and action in ('STEP_UP_VERIFIED', 'STEP_UP_CODE_SENT') order by created_at, id`)
    expect(rows).toMatchObject(
      tries.map(([, , error, purpose, factor]) => ({ failure_reason: error, metadata: { purpose, factor } })),
    )
  } finally {
    await api.close()
  }
})
