import { expect, test } from 'vitest'
import { emailOf, nextPage, reasonOf, withEmail } from './next-page.ts'

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

test.each([[{ email: 7 }], [{}], [null], [undefined]])('%j has no address', (state) => {
  expect(emailOf(state)).toBe('')
})

test('the address that was typed goes along, and takes nothing from what is there', () => {
  const state = withEmail({ next: '/team', reason: 'SESSION_EXPIRED', email: 'old@example.com' }, ' ana@example.com ')
  expect(emailOf(state)).toBe('ana@example.com')
  expect(nextPage(state)).toBe('/team')
  expect(reasonOf(state)).toBe('SESSION_EXPIRED')
  expect(emailOf(withEmail(null, 'ana@example.com'))).toBe('ana@example.com')
})
