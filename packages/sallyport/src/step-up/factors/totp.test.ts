import { equal, notEqual, throws } from 'node:assert/strict'
import { describe, test } from 'vitest'
import type { FactorId, UserId } from '../../ids.ts'
import { secretRing } from '../../secrets/secret-ring.ts'
import { matchingStep, newTotpSecret, sealTotpSecret, totpCode, totpStepOf } from './totp.ts'

const KEY = Buffer.from('12345678901234567890')
const at = (seconds: number): Date => new Date(seconds * 1000)

describe('totp', () => {
  // RFC 6238 appendix B, SHA-1, of whose eight digits six are the last.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('has the code of the RFC at %d', (seconds, code) => {
    equal(totpCode(KEY, Math.floor(seconds / 30)), code)
    equal(matchingStep(KEY, code, at(seconds)), Math.floor(seconds / 30))
  })

  test('accepts the current step and the one before, and no other', () => {
    const now = at(2_000_000_010)
    const step = Math.floor(2_000_000_010 / 30)
    for (const [offset, accepted] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, false],
    ] as const) {
      equal(matchingStep(KEY, totpCode(KEY, step + offset), now), accepted ? step + offset : undefined, String(offset))
    }
  })

  test('reads the code as apps show it, and nothing else', () => {
    equal(matchingStep(KEY, '005 924', at(1_234_567_890)), 41_152_263)
    for (const code of ['5924', '0059240', '005924\n', '٠٠٥٩٢٤', '+05924', '']) {
      equal(matchingStep(KEY, code, at(1_234_567_890)), undefined, code)
    }
  })

  test('makes secrets of 160 bits, each another', () => {
    equal(newTotpSecret().length, 20)
    notEqual(newTotpSecret().toString('hex'), newTotpSecret().toString('hex'))
  })

  test('does not open a secret that was copied to another row or person', () => {
    const ring = secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'])
    const [mine, other] = ['0198c0de-0000-7000-8000-000000000001', '0198c0de-0000-7000-8000-000000000002'] as FactorId[]
    const [ada, eve] = ['0198c0de-0000-7000-8000-00000000000a', '0198c0de-0000-7000-8000-00000000000e'] as UserId[]
    const sealedSecret = sealTotpSecret(ring, KEY, mine as FactorId, ada as UserId)
    const open = (factorId: unknown, userId: unknown) =>
      totpStepOf(ring, userId as UserId, '005924')({ factorId: factorId as FactorId, sealedSecret }, at(1_234_567_890))
    equal(open(mine, ada), 41_152_263)
    throws(() => open(other, ada), { code: 'INTERNAL' })
    throws(() => open(mine, eve), { code: 'INTERNAL' })
  })
})
