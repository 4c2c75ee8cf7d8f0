import { afterEach, expect, test, vi } from 'vitest'
import { isId, newId } from './ids.ts'

afterEach(() => vi.useRealTimers())

test('ids are UUIDv7, unique, and in the order in which they were made', () => {
  const ids = Array.from({ length: 20_000 }, () => newId<string>())
  expect(ids.every(isId)).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
})

test('a clock that steps back takes no id with it', () => {
  const before = newId<string>()
  vi.useFakeTimers({ now: Date.now() - 3_600_000 })
  expect(newId<string>() > before).toBe(true)
})

test('an id says when it was made', () => {
  vi.useFakeTimers({ now: Date.now() + 60_000 })
  const id = newId<string>()
  expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(Date.now())
})
