import { describe, expect, test } from 'vitest'
import { SallyportError } from '../errors.ts'
import type { RateLimitOptions } from './rules.ts'
import { resolveRateLimits } from './rules.ts'

const optionRefused = (options: unknown, production = false) => {
  try {
    resolveRateLimits(options as RateLimitOptions, production)
  } catch (error) {
    if (error instanceof SallyportError) return error.facts['option']
    throw error
  }
  return undefined
}

describe('the limits', () => {
  test('are those of the documentation where nothing is said', () => {
    const settings = resolveRateLimits(undefined, true)
    if (settings === 'off') throw new Error('off')
    expect(settings.rules.signIn).toMatchObject({ subject: 10, address: 50 })
    expect(settings.rules.refresh).toMatchObject({ subject: 120, address: 1000 })
    expect(settings.store).toBe('database')
  })

  test('change layer by layer, and 0 is a value', () => {
    const settings = resolveRateLimits({ refresh: { address: 0 }, store: 'memory' }, true)
    if (settings === 'off') throw new Error('off')
    expect(settings.rules.refresh).toMatchObject({ subject: 120, address: 0 })
  })

  test('are never off in production', () => {
    expect(resolveRateLimits('off', false)).toBe('off')
    expect(optionRefused('off', true)).toBe('rateLimits')
  })

  test.each([
    [{ login: {} }, 'rateLimits.login'],
    [{ signIn: { ip: 1 } }, 'rateLimits.signIn.ip'],
    [{ signIn: { subject: -1 } }, 'rateLimits.signIn.subject'],
    [{ signIn: { subject: 1.5 } }, 'rateLimits.signIn.subject'],
    [{ store: 'redis' }, 'rateLimits.store'],
    [[], 'none'],
    ['on', 'rateLimits'],
  ])('%j is refused where it is wrong, by the name of the option', (options, option) => {
    expect(optionRefused(options) ?? 'none').toBe(option)
  })
})
