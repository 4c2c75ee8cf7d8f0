import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { TenantId } from '../ids.ts'
import { newId } from '../ids.ts'
import { issueFirst } from '../refresh-tokens/issue.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { auditRow } from './record.ts'
import { redact } from './redact.ts'

const REDACTED = '[redacted]'
const TOKEN = issueFirst(
  { secrets: secretRing([randomBytes(32).toString('base64url')]) },
  { tenantId: newId<TenantId>(), request: { correlationId: 'test' } },
).raw
const JWT = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'
const ARGON2 = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g'

describe('redaction', () => {
  test.each([
    ['a refresh token', TOKEN],
    ['a service key', 'spsk_0123456789abcdef'],
    ['a one-time link', 'spot_0123456789abcdef'],
    ['a JWT', JWT],
    ['an unsecured JWT', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.'],
    ['a password hash', ARGON2],
  ])('finds %s by its form, wherever it stands', (_what, secret) => {
    const given = { note: `before ${secret} after`, list: [secret, { deep: `url?x=${secret}` }] }
    const text = JSON.stringify(redact(given))
    expect(text).not.toContain(secret)
    expect(text).not.toContain(secret.slice(10, 24))
    expect(text).toContain('before ')
    expect(text).toContain(REDACTED)
  })

  test.each([
    'password',
    'newPassword',
    'new_password',
    'New-Password',
    'passwordHash',
    'token',
    'refreshToken',
    'refresh_token',
    'token_hash',
    'tokenHash',
    'code',
    'otp',
    'codeHash',
    'recoveryCodes',
    'secret',
    'totp_secret',
    'Authorization',
    'cookie',
    'Set-Cookie',
    'DPoP',
    'privateKey',
    'api_key',
    'keyHash',
    'device_cookie_hash',
    'nonce',
    'salt',
  ])('whatever is named %s is not told', (name) => {
    for (const value of ['x', 17, { y: 'x' }, ['x'], null]) {
      expect(redact({ outer: [{ [name]: value, kept: 'kept' }] })).toEqual({
        outer: [{ [name]: REDACTED, kept: 'kept' }],
      })
    }
  })

  test('bytes are not told: a hash under an innocent name is still a hash', () => {
    expect(redact({ a: randomBytes(32), b: new Uint8Array(4) })).toEqual({ a: REDACTED, b: REDACTED })
  })

  test('what is no secret stays as it is, in its own type', () => {
    const given = { n: 1, b: true, z: null, s: 'generation eyJ', list: [1, 'two'], reason: 'reuse_detected' }
    expect(redact(given)).toEqual(given)
    expect(redact(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
    expect(redact({ gone: undefined })).toEqual({})
  })

  test('the given value is not changed, and no depth exhausts the stack', () => {
    const given = { password: 'x' }
    redact(given)
    expect(given).toEqual({ password: 'x' })
    let deep: unknown = TOKEN
    for (let depth = 0; depth < 10_000; depth++) deep = [deep]
    expect(JSON.stringify(redact(deep))).not.toContain('sprt_')
  })

  test('an audit row tells no secret, in whichever column it was put', () => {
    const row = auditRow(
      {
        tenantId: newId(),
        action: 'SETTINGS_UPDATED',
        actorName: `Ada ${TOKEN}`,
        resource: 'security',
        resourceId: TOKEN,
        oldValue: { x: TOKEN, password: 'hunter2' },
        newValue: { y: [JWT] },
        metadata: { z: { refreshToken: 'opaque' }, raw: ARGON2 },
        request: { correlationId: TOKEN, ipAddress: '192.0.2.7', userAgent: `curl ${JWT}` },
      },
      new Date(),
    )
    const text = JSON.stringify(row)
    for (const secret of [TOKEN, JWT, ARGON2, 'hunter2', 'opaque']) expect(text).not.toContain(secret)
    expect(row.userAgent).toBe(`curl ${REDACTED}`)
  })
})
