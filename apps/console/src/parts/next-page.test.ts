import { expect, test } from 'vitest'
import { nextPage, reasonOf } from './next-page.ts'

test.each([
  [{ next: '/team?x=1' }, '/team?x=1'],
  [{ next: '//evil.example' }, '/'],
  [{ next: '/\\evil.example' }, '/'],
  [{ next: 'https://evil.example' }, '/'],
  [{ next: 'javascript:alert(1)' }, '/'],
  [{ next: '/sign-in' }, '/'],
  [{ next: 7 }, '/'],
  [null, '/'],
  [undefined, '/'],
])('%j leads to %s', (state, expected) => {
  expect(nextPage(state)).toBe(expected)
})

test('a reason is a code, or none', () => {
  expect(reasonOf({ reason: 'SESSION_REVOKED' })).toBe('SESSION_REVOKED')
  expect(reasonOf({ reason: {} })).toBeUndefined()
})
