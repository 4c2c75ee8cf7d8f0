import { deepEqual, throws } from 'node:assert/strict'
import { test } from 'vitest'
import type { SallyportOptions } from '../options.ts'
import { resolveOptions } from '../options.ts'

const HOUR = 3_600_000
const options = (of: Partial<SallyportOptions>) =>
  resolveOptions({
    store: {} as SallyportOptions['store'],
    issuer: 'https://id.example.com',
    secrets: ['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'],
    ...of,
  })

test.each([
  ['standard', 30 * 24 * HOUR, 72 * HOUR],
  ['nist-aal2', 24 * HOUR, HOUR],
  ['nist-aal3', 12 * HOUR, HOUR / 4],
] as const)('%s sets its limits together', (preset, life, unused) => {
  const { maxSessionLifeMs, refreshTtlMs, idleMs } = options({ preset })
  deepEqual([maxSessionLifeMs, refreshTtlMs, idleMs], [life, unused, unused])
})

test.each([
  { refreshToken: { ttl: '2h' } },
  { refreshToken: { maxSessionLife: '25h' } },
  { session: { idle: '2h' } },
] as const)('a preset refuses what is weaker: %j', (weaker) => {
  throws(() => options({ preset: 'nist-aal2', ...weaker }), { code: 'CONFIG_INVALID' })
  options({ preset: 'standard', ...weaker })
  options({ preset: 'nist-aal2', refreshToken: { ttl: '30m', maxSessionLife: '8h' }, session: { idle: '10m' } })
})
