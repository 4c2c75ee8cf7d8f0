import { expect, test } from 'vitest'
import { totpCode } from './totp.ts'

// RFC 6238, appendix B, the last six of eight digits; the secret is "12345678901234567890".
test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_234_567_890, '005924'],
  [20_000_000_000, '353130'],
])('the code at %i seconds is that of the standard', (seconds, code) => {
  expect(totpCode('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', new Date(seconds * 1000))).toBe(code)
})
