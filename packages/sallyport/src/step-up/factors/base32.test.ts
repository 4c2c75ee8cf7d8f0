import { equal } from 'node:assert/strict'
import { test } from 'vitest'
import { base32 } from './base32.ts'

// RFC 4648 section 10, without the padding.
test.each([
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
])('base32 writes "%s" as the RFC does', (text, encoded) => {
  equal(base32(Buffer.from(text)), encoded)
})
