import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TenantId, UserId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { TestEngine } from '../../testing/test-engine.ts'
import { inAWord, testEngine } from '../../testing/test-engine.ts'
import { hashRefreshToken } from '../token-format.ts'
import { consumeAndVerifyRefreshToken } from './consume-and-verify.ts'
import { generateRefreshToken } from './generate.ts'
import type { TokenOwner } from './owner.ts'
import { revokeAllRefreshTokens } from './revoke-all.ts'
import { revokeRefreshToken } from './revoke.ts'
import { rotateInPlaceRefreshToken } from './rotate-in-place.ts'
import { rotateOneUseRefreshToken } from './rotate-one-use.ts'
import { verifyRefreshToken } from './verify.ts'

const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const TTL = '3d'

let node: TestEngine
beforeAll(async () => {
  node = await testEngine()
})
beforeEach(() => {
  node.database.clock.offsetMs = 0
})
afterAll(() => node?.close())

/** A host's own user, whom no directory knows. */
const owner = (): TokenOwner => ({ tenantId: newId<TenantId>(), userId: newId<UserId>(), visitorId: 'device-1' })
const generate = (of: TokenOwner = owner(), startedAt?: Date) => generateRefreshToken(node.engine, TTL, of, startedAt)
const verify = (raw: unknown) => verifyRefreshToken(node.engine, raw)
const consume = (raw: unknown) => consumeAndVerifyRefreshToken(node.engine, raw)
const rotate = (userId: UserId, raw: unknown) => rotateOneUseRefreshToken(node.engine, TTL, userId, raw)
const replace = (userId: UserId, raw: unknown) => rotateInPlaceRefreshToken(node.engine, TTL, userId, raw)
const reasonOf = (result: object): unknown => ('reason' in result ? result.reason : 'ok')
const familyOf = (raw: string) =>
  node.rows<{ revoke_reason: string | null }>(
    `select f.revoke_reason from token_families f join refresh_tokens t on t.family_id = f.id where t.token_hash = $1`,
    [hashRefreshToken(raw)],
  )

describe('generateRefreshToken', () => {
  test('starts a family of its own, which lives for the given time', async () => {
    const of = owner()
    const startedAt = new Date(Date.now() - DAY)
    const { raw, expiresAt } = await generate(of, startedAt)
    expect(Math.abs(expiresAt.getTime() - Date.now() - 3 * DAY)).toBeLessThan(10_000)
    expect(await verify(raw)).toMatchObject({
      valid: true,
      tenantId: of.tenantId,
      userId: of.userId,
      visitorId: 'device-1',
      sessionStartedAt: startedAt,
      expiresAt,
    })
  })

  test('takes no nonsense for a time to live', async () => {
    for (const ttl of ['', '3 days', -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(generateRefreshToken(node.engine, ttl as never, owner())).rejects.toThrow(TypeError)
    }
  })

  test('is no session: refresh() gives no access token for it, and consumes nothing', async () => {
    const { raw } = await generate()
    expect(inAWord(await node.refresh(raw))).toBe('REFRESH_TOKEN_INVALID')
    expect(await verify(raw)).toMatchObject({ valid: true })
  })
})

describe('verifyRefreshToken', () => {
  test('changes nothing, however often it is asked', async () => {
    const { raw } = await generate()
    const look = () => node.rows('select * from refresh_tokens where token_hash = $1', [hashRefreshToken(raw)])
    const before = await look()
    for (let asked = 0; asked < 3; asked++) expect(await verify(raw)).toMatchObject({ valid: true })
    expect(await look()).toEqual(before)
  })

  test('tells a replayed token, and contains nothing', async () => {
    const of = owner()
    const { raw } = await generate(of)
    await rotate(of.userId, raw)
    await node.pass(31 * SECOND)
    expect(await verify(raw)).toEqual({ valid: false, reason: 'reused', userId: of.userId })
    expect(await familyOf(raw)).toEqual([{ revoke_reason: null }])
  })

  test('tells malformed, not found, revoked and expired apart', async () => {
    const { raw } = await generate()
    expect(await verify('sprt_x')).toEqual({ valid: false, reason: 'malformed' })
    const gone = await generate()
    await node.rows('delete from refresh_tokens where token_hash = $1', [hashRefreshToken(gone.raw)])
    expect(await verify(gone.raw)).toEqual({ valid: false, reason: 'not_found' })
    const revoked = await generate()
    await revokeRefreshToken(node.engine, revoked.raw)
    expect(await verify(revoked.raw)).toMatchObject({ valid: false, reason: 'revoked' })
    await node.pass(3 * DAY)
    expect(await verify(raw)).toMatchObject({ valid: false, reason: 'expired' })
  })

  test('tells that a session’s maxSessionLife is over', async () => {
    const { raw } = await generate(owner(), new Date(Date.now() - 30 * DAY))
    expect(await verify(raw)).toMatchObject({ valid: false, reason: 'expired' })
  })
})

describe('consumeAndVerifyRefreshToken', () => {
  test('of twenty at once exactly one is answered valid, and the rest end the family', async () => {
    const { raw } = await generate()
    const all = await Promise.all(Array.from({ length: 20 }, () => consume(raw)))
    expect(all.filter(({ valid }) => valid)).toHaveLength(1)
    expect(all.filter((one) => reasonOf(one) === 'reused').length).toBeGreaterThanOrEqual(1)
    expect(await familyOf(raw)).toContainEqual({ revoke_reason: 'reuse_detected' })
  })

  test('tells reuse at once, contains it, and audits it once', async () => {
    const of = owner()
    const { raw } = await generate(of)
    expect(await consume(raw)).toMatchObject({ valid: true, userId: of.userId })
    expect(await consume(raw)).toEqual({ valid: false, reason: 'reused', userId: of.userId })
    expect(reasonOf(await consume(raw))).toBe('revoked')
    const alarms = (await node.audited(of.tenantId)).filter(({ action }) => action === 'SUSPICIOUS_LOGIN_DETECTED')
    expect(alarms).toHaveLength(1)
  })

  test('gives its successor to nobody: no later call derives it', async () => {
    const of = owner()
    const { raw } = await generate(of)
    await consume(raw)
    expect(await rotate(of.userId, raw)).toEqual({ rotated: false, reason: 'reused' })
  })

  test('tells not found, revoked and expired apart, and consumes none of them', async () => {
    const gone = await generate()
    await node.rows('delete from refresh_tokens where token_hash = $1', [hashRefreshToken(gone.raw)])
    expect(reasonOf(await consume(gone.raw))).toBe('not_found')
    const revoked = await generate()
    await revokeRefreshToken(node.engine, revoked.raw)
    expect(reasonOf(await consume(revoked.raw))).toBe('revoked')
    const { raw } = await generate()
    await node.pass(3 * DAY)
    expect(reasonOf(await consume(raw))).toBe('expired')
    expect(await familyOf(raw)).toEqual([{ revoke_reason: null }])
  })
})

describe('revokeRefreshToken', () => {
  test('keeps the row, so that the reuse of a spent one is still recognised', async () => {
    const of = owner()
    const { raw } = await generate(of)
    await rotate(of.userId, raw)
    expect(await revokeRefreshToken(node.engine, raw)).toEqual({ success: true })
    expect(await revokeRefreshToken(node.engine, raw)).toEqual({ success: true })
    await node.pass(31 * SECOND)
    expect(reasonOf(await consume(raw))).toBe('reused')
  })

  test('succeeds for no token that is not there', async () => {
    expect(await revokeRefreshToken(node.engine, 'sprt_x')).toEqual({ success: false })
  })
})

describe('revokeAllRefreshTokens', () => {
  test('ends every family of the user, in every tenant, also of one whom no directory knows', async () => {
    const of = owner()
    const tokens = [await generate(of), await generate({ ...of, tenantId: newId<TenantId>() })]
    const other = await generate()
    expect(await revokeAllRefreshTokens(node.engine, of.userId)).toEqual({ success: true })
    for (const { raw } of tokens) expect(reasonOf(await verify(raw))).toBe('revoked')
    expect(await verify(other.raw)).toMatchObject({ valid: true })
  })

  test('ends the sessions behind them, here at once', async () => {
    const session = await node.signIn()
    expect(await node.access(session.accessToken)).toBe('live')
    await revokeAllRefreshTokens(node.engine, session.userId)
    expect(await node.access(session.accessToken)).toBe('SESSION_REVOKED')
  })

  test('of what is no user id fails', async () => {
    expect(await revokeAllRefreshTokens(node.engine, 'x' as UserId)).toEqual({ success: false })
  })
})

describe('rotateOneUseRefreshToken', () => {
  test('exchanges a token once, and answers a lost response with the same successor', async () => {
    const of = owner()
    const { raw } = await generate(of)
    const first = await rotate(of.userId, raw)
    expect(first).toMatchObject({ rotated: true })
    expect(await rotate(of.userId, raw)).toMatchObject({ rotated: true, raw: first.rotated && first.raw })
    await node.pass(31 * SECOND)
    expect(await rotate(of.userId, raw)).toEqual({ rotated: false, reason: 'reused' })
    expect(reasonOf(await rotate(of.userId, first.rotated && first.raw))).toBe('revoked')
  })

  test('of fifty at once all get the one successor', async () => {
    const of = owner()
    const { raw } = await generate(of)
    const all = await Promise.all(Array.from({ length: 50 }, () => rotate(of.userId, raw)))
    expect(new Set(all.map((one) => (one.rotated ? one.raw : one.reason))).size).toBe(1)
    expect(all[0]).toMatchObject({ rotated: true })
  })

  test('refuses another user’s token and leaves it as it is', async () => {
    const of = owner()
    const { raw } = await generate(of)
    expect(await rotate(newId<UserId>(), raw)).toEqual({ rotated: false, reason: 'not_owner' })
    expect(await rotate(of.userId, raw)).toMatchObject({ rotated: true })
    await node.pass(31 * SECOND)
    // A replay under a wrong name is no reason to end anything.
    expect(await rotate(newId<UserId>(), raw)).toEqual({ rotated: false, reason: 'not_owner' })
    expect(await familyOf(raw)).toEqual([{ revoke_reason: null }])
  })

  test('tells a burst of tabs to try again', async () => {
    const of = owner()
    const { raw } = await generate(of)
    const second = await rotate(of.userId, raw)
    await rotate(of.userId, second.rotated && second.raw)
    expect(await rotate(of.userId, raw)).toEqual({ rotated: false, reason: 'retry' })
  })
})

describe('rotateInPlaceRefreshToken', () => {
  test('replaces a token that ran out less than a day ago, once, and audits it', async () => {
    const of = owner()
    const { raw } = await generate(of)
    await node.pass(3 * DAY + 23 * HOUR)
    const [one, two] = await Promise.all([replace(of.userId, raw), replace(of.userId, raw)])
    const replaced = [one, two].filter(({ rotated }) => rotated)
    expect(replaced).toHaveLength(1)
    const next = replaced[0]?.rotated ? replaced[0].raw : ''
    expect(await verify(next)).toMatchObject({ valid: true, userId: of.userId })
    expect((await node.audited(of.tenantId)).at(-1)).toMatchObject({
      action: 'AUTH_TOKEN_REFRESH',
      metadata: { inPlace: true },
    })
  })

  test('replaces none that is still good, and none that ran out a day ago', async () => {
    const of = owner()
    const { raw } = await generate(of)
    expect(await replace(of.userId, raw)).toEqual({ rotated: false, reason: 'not_expired' })
    await node.pass(4 * DAY)
    expect(await replace(of.userId, raw)).toEqual({ rotated: false, reason: 'expired' })
  })

  test('replaces one whose family was ended by its expiry meanwhile, by a check or by the cleanup', async () => {
    const of = owner()
    const { raw } = await generate(of)
    await node.pass(3 * DAY + HOUR)
    await node.instance.jobs.run('cleanup')
    expect(await familyOf(raw)).toEqual([{ revoke_reason: 'session_expired' }])
    expect(await verify(raw)).toMatchObject({ valid: false, reason: 'expired' })
    const replaced = await replace(of.userId, raw)
    expect(await verify(replaced.rotated && replaced.raw)).toMatchObject({ valid: true, userId: of.userId })
    expect(await replace(of.userId, raw)).toEqual({ rotated: false, reason: 'reused' })
  })

  test('replaces none that was consumed, revoked, or is another’s', async () => {
    const of = owner()
    const consumed = await generate(of)
    await consume(consumed.raw)
    const revoked = await generate(of)
    await revokeRefreshToken(node.engine, revoked.raw)
    const other = await generate()
    await node.pass(3 * DAY + HOUR)
    expect(await replace(of.userId, consumed.raw)).toEqual({ rotated: false, reason: 'reused' })
    expect(await replace(of.userId, revoked.raw)).toEqual({ rotated: false, reason: 'revoked' })
    expect(await replace(of.userId, other.raw)).toEqual({ rotated: false, reason: 'not_owner' })
  })
})

describe('malformed input', () => {
  test.each([undefined, null, 7, {}, [], '', 'sprt_', `sprt_${'A'.repeat(120)}`, 'x'.repeat(100_000)])(
    '%# is refused before the database',
    async (raw) => {
      const tokens = new Proxy({}, { get: () => () => Promise.reject(new Error('the database was asked')) })
      const blind = {
        ...node.engine,
        store: { ...node.engine.store, tokens: tokens as typeof node.engine.store.tokens },
      }
      const { userId } = owner()
      expect(await verifyRefreshToken(blind, raw)).toEqual({ valid: false, reason: 'malformed' })
      expect(await consumeAndVerifyRefreshToken(blind, raw)).toEqual({ valid: false, reason: 'malformed' })
      expect(await revokeRefreshToken(blind, raw)).toEqual({ success: false })
      expect(await rotateOneUseRefreshToken(blind, TTL, userId, raw)).toEqual({ rotated: false, reason: 'malformed' })
      expect(await rotateInPlaceRefreshToken(blind, TTL, userId, raw)).toEqual({ rotated: false, reason: 'malformed' })
      expect(await revokeAllRefreshTokens(blind, raw as UserId)).toEqual({ success: false })
    },
  )
})

describe('a token of a session of ours', () => {
  test('that waits for a step-up, or is bound to a key, is told as what it is, and stays good', async () => {
    const waiting = await node.signIn()
    await node.rows('update user_sessions set step_up_required_at = now() where id = $1', [waiting.session.id])
    expect(await rotate(waiting.userId, waiting.refreshToken)).toEqual({ rotated: false, reason: 'waiting' })
    const bound = await node.signIn(undefined, { binding: { type: 'key', value: 'k' } })
    expect(await rotate(bound.userId, bound.refreshToken)).toEqual({ rotated: false, reason: 'bound' })
    expect(await consume(bound.refreshToken)).toMatchObject({ valid: false, reason: 'bound' })
    expect(await familyOf(bound.refreshToken)).toEqual([{ revoke_reason: null }])
  })
})

describe('a stored hash', () => {
  test('is worth nothing to any of them, in any spelling', async () => {
    const of = owner()
    const { raw } = await generate(of)
    const hash = hashRefreshToken(raw)
    for (const guess of [
      hash,
      hash.toString('hex'),
      hash.toString('base64url'),
      `sprt_${hash.toString('base64url')}`,
    ]) {
      expect(await verify(guess)).toEqual({ valid: false, reason: 'malformed' })
      expect(await consume(guess)).toEqual({ valid: false, reason: 'malformed' })
      expect(await revokeRefreshToken(node.engine, guess)).toEqual({ success: false })
      expect(await rotate(of.userId, guess)).toEqual({ rotated: false, reason: 'malformed' })
      expect(await replace(of.userId, guess)).toEqual({ rotated: false, reason: 'malformed' })
    }
    expect(await verify(raw)).toMatchObject({ valid: true })
  })
})
