import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SallyportOptions } from './options.ts'
import { resolveOptions } from './options.ts'
import type { Store } from './store/contract/store.ts'

const SECRETS = ['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs']
const resolve = (options: Partial<Record<keyof SallyportOptions, unknown>> = {}) =>
  resolveOptions({
    store: {} as Store,
    issuer: 'https://id.example.com',
    secrets: SECRETS,
    ...options,
  } as SallyportOptions)
const refused = (options: Parameters<typeof resolve>[0]): unknown => {
  try {
    resolve(options)
  } catch (error) {
    const { code, facts } = error as { readonly code?: string; readonly facts?: { readonly option?: string } }
    return [code, facts?.option]
  }
  return 'taken'
}

afterEach(() => vi.unstubAllEnvs())

test.each<[string, Parameters<typeof resolve>[0], string]>([
  ['an issuer with a slash', { issuer: 'https://id.example.com/' }, 'issuer'],
  ['an issuer that is no URL', { issuer: 'id.example.com' }, 'issuer'],
  ['an origin with a path', { allowedOrigins: ['https://app.example.com/'] }, 'allowedOrigins'],
  ['an origin in capitals', { allowedOrigins: ['https://App.example.com'] }, 'allowedOrigins'],
  [
    'an origin with the port that goes without saying',
    { allowedOrigins: ['https://app.example.com:443'] },
    'allowedOrigins',
  ],
  ['any origin', { allowedOrigins: ['*'] }, 'allowedOrigins'],
  ['the opaque origin', { allowedOrigins: ['null'] }, 'allowedOrigins'],
  ['a pattern of origins', { allowedOrigins: ['https://*.example.com'] }, 'allowedOrigins'],
  ['an extension as an origin', { allowedOrigins: ['chrome-extension://abc'] }, 'allowedOrigins'],
  ['a cookie with a prefix of its own', { cookie: { name: '__Host-x' } }, 'cookie.name'],
  ['a cookie with a space', { cookie: { name: 'a b' } }, 'cookie.name'],
  ['a cookie that ends another', { cookie: { conventionName: 'a;b' } }, 'cookie.conventionName'],
  ['a cookie for a whole top-level domain', { cookie: { domain: 'com' } }, 'cookie.domain'],
  ['a cookie for a domain with attributes', { cookie: { domain: 'example.com; Secure' } }, 'cookie.domain'],
  ['too many proxies', { trustedProxies: 17 }, 'trustedProxies'],
  ['half a proxy', { trustedProxies: 0.5 }, 'trustedProxies'],
  ['a proxy with host bits', { trustedProxies: ['10.0.0.1/8'] }, 'trustedProxies'],
  ['a proxy by name', { trustedProxies: ['proxy.example.com'] }, 'trustedProxies'],
  ['a proxy as text', { trustedProxies: '10.0.0.0/8' }, 'trustedProxies'],
  ['places from headers that nobody vouches for', { geo: { headers: { country: 'cf-ipcountry' } } }, 'geo.headers'],
  ['places from headers, with no proxy', { geo: { headers: { country: 'x' } }, trustedProxies: [] }, 'geo.headers'],
  ['proofs of keys by another name', { dpop: { required: true } } as never, 'dpop.required'],
  ['an impersonation of an hour', { impersonation: { life: '1h' } }, 'impersonation.life'],
  ['a permission in lower case', { permissions: { invoices: {} } }, 'permissions.invoices'],
  ['a permission that there is', { permissions: { SETTINGS_TEAM_EDIT: {} } }, 'permissions.SETTINGS_TEAM_EDIT'],
  ['a permission of a role that there is not', { permissions: { PAY: { roles: ['boss'] } } }, 'permissions.PAY'],
  ['a purpose that is reserved', { stepUp: { purposes: { sign_in: {} } } }, 'stepUp.purposes.sign_in'],
  ['an option that there is not', { trustProxies: 1 } as never, 'trustProxies'],
  ['an option within one that there is not', { cookie: { path: '/x' } }, 'cookie.path'],
])('%s is refused, by name', (_what, options, option) => {
  expect(refused(options)).toEqual(['CONFIG_INVALID', option])
})

describe('in production', () => {
  test('an issuer without https is refused, but on this machine', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(refused({ issuer: 'http://id.example.com' })).toEqual(['CONFIG_INVALID', 'issuer'])
    expect(refused({ issuer: 'http://localhost.example.com' })).toEqual(['CONFIG_INVALID', 'issuer'])
    for (const issuer of [
      'https://id.example.com',
      'http://localhost:8080',
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
    ]) {
      expect(refused({ issuer })).toBe('taken')
    }
    expect(refused({ rateLimits: 'off' })).toEqual(['CONFIG_INVALID', 'rateLimits'])
  })

  test('is not what a machine of a developer is', () => {
    expect(refused({ issuer: 'http://id.example.com' })).toBe('taken')
  })
})

test('the cookie’s name takes the prefix that browsers hold to', () => {
  expect(resolve().cookie).toMatchObject({ name: '__Host-sallyport-session', secure: true })
  expect(resolve({ cookie: { domain: 'example.com' } }).cookie.name).toBe('__Secure-sallyport-session')
  expect(resolve({ issuer: 'http://localhost:8080' }).cookie).toMatchObject({
    name: 'sallyport-session',
    secure: false,
  })
})
