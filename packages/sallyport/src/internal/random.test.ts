import { expect, test } from 'vitest'
import { randomChunk } from './random.ts'

test('no bytes are handed out twice, over many blocks', () => {
  const seen = new Set(Array.from({ length: 5000 }, () => randomChunk(16).toString('hex')))
  expect(seen.size).toBe(5000)
})

test('a chunk is the caller’s own: what is done to it changes no later one', () => {
  const first = randomChunk(32)
  first.fill(7)
  expect(randomChunk(32).equals(first)).toBe(false)
})

test('what is longer than an id needs is refused', () => {
  expect(() => randomChunk(65)).toThrow(RangeError)
})
