import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, test } from 'vitest'
import type { PurposeRegistry, PurposeRule } from './purposes.ts'
import { BUILT_IN_PURPOSES, purposeRegistry } from './purposes.ts'

describe('purposes', () => {
  test('built-in ones are there, with the window of the instance', () => {
    const registry = purposeRegistry(600_000)
    deepEqual(registry.names, BUILT_IN_PURPOSES)
    deepEqual(registry.find('impersonate'), { windowMs: 600_000, singleUse: false })
  })

  test('those of one moment cannot be asked for, nor can those that nobody registered', () => {
    const registry = purposeRegistry(600_000)
    for (const name of ['sign_in', 'session_risk', 'payout', '', '__proto__'])
      equal(registry.find(name), undefined, name)
  })

  test("a host's have their own window and use, and a name that the compiler knows", () => {
    const registry = purposeRegistry(600_000, { payout: { window: '1m', singleUse: true }, close_books: {} })
    deepEqual(registry.find('payout'), { windowMs: 60_000, singleUse: true })
    deepEqual(registry.find('close_books'), { windowMs: 600_000, singleUse: false })
    const typed: PurposeRegistry<'payout' | 'close_books' | (typeof BUILT_IN_PURPOSES)[number]> = registry
    // @ts-expect-error a purpose that the host did not register is none
    const other: PurposeRegistry<'payday'> = registry
    equal(typed.names.length, other.names.length)
  })

  test.each([
    ['taken', { impersonate: {} }],
    ['reserved', { sign_in: {} }],
    ['no snake case', { 'Pay-out': {} }],
    ['a window that is none', { payout: { window: '0s' as const } }],
    ['a window beyond an hour', { payout: { window: '2h' as const } }],
  ])('refuses one that is %s', (_, host) => {
    throws(() => purposeRegistry(600_000, host as Readonly<Record<string, PurposeRule>>), { code: 'CONFIG_INVALID' })
  })
})
