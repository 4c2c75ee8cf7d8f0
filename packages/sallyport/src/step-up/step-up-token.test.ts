import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signToken } from '../access-tokens/sign-token.ts'
import { generateSigningKey, readSigningKey } from '../access-tokens/signing-key.ts'
import { verifyAccessToken } from '../access-tokens/verify.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId, SessionId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import type { StepUpTokenClaims } from './step-up-token.ts'
import { isOfDevice, isOfToken, issueStepUpToken, readStepUpToken, STEP_UP_TOKEN } from './step-up-token.ts'

const secrets = secretRing([randomBytes(32).toString('base64url')])
const now = new Date('2026-05-04T12:00:00Z')
const signing = readSigningKey(secrets, {
  ...generateSigningKey(secrets, 'EdDSA'),
  createdAt: now,
  activatedAt: now,
  retiredAt: null,
  revokedAt: null,
  state: 'active',
})
const keys = {
  signing,
  find: (kid: string) => (kid === signing.kid ? signing : undefined),
  reloadForUnknownKey: async () => false,
}
const settings = { issuer: 'https://auth.example', audience: 'https://api.example' }
const engine = { keys, settings } as unknown as Engine

const tokenHash = randomBytes(32)
const ofSession = {
  tenantId: newId<TenantId>(),
  userId: newId<UserId>(),
  target: { purpose: 'session_risk', sessionId: newId<SessionId>(), tokenHash },
  device: 'device-1',
} as const
const ofSignIn = {
  ...ofSession,
  target: { purpose: 'sign_in', signInId: newId<ChallengeId>() },
  device: undefined,
} as const

const refused = async (promise: Promise<unknown>) => {
  try {
    await promise
  } catch (error) {
    if (error instanceof SallyportError) return error.code
    throw error
  }
  return 'read'
}

describe('a step-up token', () => {
  test('says whose it is and what it is for, and nothing that leads to a refresh token', async () => {
    const token = issueStepUpToken(engine, ofSession, now)
    const claims = await readStepUpToken(engine, token, now)
    expect(claims).toMatchObject({
      sub: ofSession.userId,
      tenant_id: ofSession.tenantId,
      purpose: 'session_risk',
      sid: ofSession.target.sessionId,
      exp: claims.iat + 600,
    })
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    expect(payload).not.toContain(tokenHash.toString('base64url'))
    expect(payload).not.toContain('device-1')
  })

  test('is bound to the presented token and to its device', async () => {
    const claims = await readStepUpToken(engine, issueStepUpToken(engine, ofSession, now), now)
    expect(isOfToken(claims, tokenHash)).toBe(true)
    expect(isOfToken(claims, randomBytes(32))).toBe(false)
    expect([isOfDevice(claims, 'device-1'), isOfDevice(claims, 'device-2'), isOfDevice(claims, undefined)]).toEqual([
      true,
      false,
      false,
    ])
    const without = await readStepUpToken(engine, issueStepUpToken(engine, ofSignIn, now), now)
    expect([isOfDevice(without, undefined), isOfDevice(without, 'device-1')]).toEqual([true, false])
    expect(isOfToken(without, tokenHash)).toBe(false)
  })

  test('is good for ten minutes', async () => {
    const token = issueStepUpToken(engine, ofSignIn, now)
    const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
    expect(await refused(readStepUpToken(engine, token, after(599)))).toBe('read')
    expect(await refused(readStepUpToken(engine, token, after(631)))).toBe('TOKEN_EXPIRED')
  })

  test('is no access token, and no other token is one', async () => {
    const token = issueStepUpToken(engine, ofSession, now)
    expect(verifyAccessToken(keys, settings, token, now)).toEqual({ kind: 'invalid', reason: 'kind' })
    const claims = await readStepUpToken(engine, token, now)
    const other = signToken(keys, { ...STEP_UP_TOKEN, typ: 'at+jwt' }, claims)
    expect(await refused(readStepUpToken(engine, other, now))).toBe('INVALID_TOKEN')
  })

  test.each<[string, Partial<Record<keyof StepUpTokenClaims, unknown>>]>([
    ['a session and a sign-in at once', { sign_in: newId() }],
    ['another purpose', { purpose: 'data_export' }],
    ['no refresh token', { presented: undefined }],
    ['a device in another form', { device: 'device-1' }],
  ])('is refused with %s, though the signature holds', async (_, changes) => {
    const claims = await readStepUpToken(engine, issueStepUpToken(engine, ofSession, now), now)
    const forged = signToken(keys, STEP_UP_TOKEN, { ...claims, ...changes } as StepUpTokenClaims)
    expect(await refused(readStepUpToken(engine, forged, now))).toBe('INVALID_TOKEN')
  })
})
