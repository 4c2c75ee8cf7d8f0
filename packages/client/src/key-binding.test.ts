import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ExpectedProof } from '../../sallyport/src/key-binding/verify-proof.ts'
import { verifyProof } from '../../sallyport/src/key-binding/verify-proof.ts'
import type { ClientOptions } from './options.ts'
import type { Platform } from './platform.ts'
import { fakeBrowser } from './testing/fake-browser.ts'
import { fakeIndexedDB } from './testing/fake-indexed-db.ts'
import type { FakeService } from './testing/fake-service.ts'
import { fakeService, problem } from './testing/fake-service.ts'

const ADA = { email: 'ada', password: 'right' }

/** The proofs that came, judged as the service judges them. */
function proofsOf(service: FakeService, expected: Partial<ExpectedProof> = {}): string[] {
  return service.asked.map(({ request }) => {
    const proof = request.headers.get('dpop')
    if (proof === null) return 'none'
    const verdict = verifyProof([proof], { method: 'POST', url: request.url, now: new Date(), ...expected })
    return verdict.kind === 'valid' ? verdict.thumbprint : verdict.why
  })
}

function begin({ options, more }: { options?: ClientOptions; more?: Partial<Platform> } = {}) {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const kept = new Map<string, unknown>()
  const tab = () => browser.tab(options, { indexedDB: fakeIndexedDB(kept), ...more })
  return { service, browser, kept, tab }
}

test('a sign-in and each refresh prove one key, which is kept and cannot be taken out', async () => {
  const { service, kept, tab } = begin()
  await tab().signIn(ADA)
  await tab().session()
  const [atSignIn, atRefresh, atMe] = proofsOf(service)
  expect(atSignIn).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect([atRefresh, atMe]).toEqual([atSignIn, 'none'])
  const [pair] = kept.values() as Iterable<CryptoKeyPair>
  expect(pair?.privateKey.extractable).toBe(false)
  await expect(crypto.subtle.exportKey('pkcs8', (pair as CryptoKeyPair).privateKey)).rejects.toThrow()
})

test('each proof is of its own: another id, another moment', async () => {
  const { service, tab } = begin()
  const client = tab()
  await client.signIn(ADA)
  await client.signIn(ADA)
  const claims = service.asked.map(({ request }) =>
    JSON.parse(Buffer.from(request.headers.get('dpop')?.split('.')[1] ?? '', 'base64url').toString()),
  )
  expect(new Set(claims.map(({ jti }) => jti)).size).toBe(2)
})

test('two tabs that make a key at once end up with one', async () => {
  // Without locks, so that they do.
  const { service, tab } = begin({ more: { navigator: {} } })
  await Promise.all([tab().signIn(ADA), tab().signIn({ ...ADA, email: 'bob' })])
  const [one, other] = proofsOf(service)
  expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(other).toBe(one)
})

test('the proof names the service by its public address', async () => {
  const { service, tab } = begin({ options: { publicUrl: 'https://public.example.com', basePath: '/api' } })
  await tab().signIn(ADA)
  expect(proofsOf(service)).toEqual(['htu'])
  expect(proofsOf(service, { url: 'https://public.example.com/api/auth/login' })[0]).toMatch(/^[\w-]{43}$/)
})

test('a nonce that is asked for is given, and so is the next one', async () => {
  const { service, tab } = begin()
  let nonce = 1
  service.before = ({ request }) => {
    const given = JSON.parse(Buffer.from(request.headers.get('dpop')?.split('.')[1] ?? '', 'base64url').toString())
    if (given.nonce === `nonce-${nonce}`) return undefined
    return problem(401, 'INVALID_DPOP_PROOF', { reason: 'use_dpop_nonce' }, { 'dpop-nonce': `nonce-${nonce}` })
  }
  const client = tab()
  await client.signIn(ADA)
  nonce = 2
  await client.signIn(ADA)
  expect(service.count('login')).toBe(4)
})

test.each([-3 * 3600, 3 * 3600, -90, 90])('a device whose clock is off by %s seconds signs in', async (seconds) => {
  const clock = { now: () => Date.now() + seconds * 1000 }
  const { service, tab } = begin({ more: { Date: clock } })
  const date = () => ({ date: new Date().toUTCString() })
  service.before = ({ request }) =>
    proofsOf({ ...service, asked: [{ request }] } as never)[0] === 'iat' &&
    problem(401, 'INVALID_DPOP_PROOF', {}, date())
  const client = tab()
  await client.signIn(ADA)
  expect(service.count('login')).toBe(2)
  await client.signIn(ADA)
  expect(service.count('login')).toBe(3)
})

test('a proof that the network has sent twice is made anew, and the session goes on', async () => {
  const { service, tab } = begin()
  const client = tab()
  await client.signIn(ADA)
  const sid = 'sid-1'
  let twice = true
  service.before = ({ name }) => {
    if (name !== 'refresh' || !twice) return undefined
    twice = false
    // The first time it arrived it was served, and the answer got lost.
    service.family(sid).generation++
    service.family(sid).consumedAt = Date.now()
    return problem(401, 'INVALID_DPOP_PROOF')
  }
  const next = tab()
  expect(await next.session()).toMatchObject({ user: { id: 'ada' } })
  expect([service.count('refresh'), service.reuses]).toEqual([2, 0])
})

test('a bound session whose key is gone ends, and goes on unbound by no means', async () => {
  const { service, kept, tab } = begin()
  await tab().signIn(ADA)
  kept.clear()
  service.before = ({ name, request }) =>
    name === 'refresh' && !request.headers.has('dpop') && problem(401, 'INVALID_DPOP_PROOF')
  expect(await tab().session()).toBeUndefined()
  expect(service.count('refresh')).toBe(1)
  // No key is made for a session that has begun.
  expect(kept.size).toBe(0)
})

test('a key store that does not answer says nothing of the session: nothing ends', async () => {
  const { service, browser, tab } = begin()
  await tab().signIn(ADA)
  service.before = ({ name, request }) =>
    name === 'refresh' && !request.headers.has('dpop') && problem(401, 'INVALID_DPOP_PROOF')
  const broken = { open: () => ({}) } as unknown as IDBFactory
  const client = browser.tab({}, { indexedDB: broken })
  const error = await client.session().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'INVALID_DPOP_PROOF' })
  expect(client.state()).toEqual({ status: 'unknown' })
})

describe('where a key cannot be had, sessions begin without one', () => {
  test.each<[string, Partial<Platform>, ClientOptions?]>([
    ['no IndexedDB', { indexedDB: undefined } as never],
    ['no WebCrypto, as on plain http', { crypto: { getRandomValues: crypto.getRandomValues.bind(crypto) } } as never],
    [
      'an IndexedDB that fails',
      {
        indexedDB: {
          open: () => ({
            set onerror(tell: (e: Error) => void) {
              queueMicrotask(() => tell(new Error('denied')))
            },
          }),
        },
      } as never,
    ],
    [
      'an IndexedDB that throws',
      {
        indexedDB: {
          open: () => {
            throw new DOMException('denied', 'SecurityError')
          },
        },
      } as never,
    ],
    ['the app does not want one', {}, { bindKey: false }],
  ])('%s', async (_what, more, options = {}) => {
    const { service, browser } = begin()
    const client = browser.tab(options, { indexedDB: fakeIndexedDB(), ...more })
    await client.signIn(ADA)
    expect(proofsOf(service)).toEqual(['none'])
    expect(client.state().status).toBe('signed-in')
  })

  test('an IndexedDB that never answers costs a short wait', async () => {
    const { service, browser } = begin()
    const client = browser.tab({}, { indexedDB: { open: () => ({}) } as unknown as IDBFactory })
    const signedIn = client.signIn(ADA)
    await sleep(50)
    expect(service.asked).toEqual([])
    await signedIn
    expect(proofsOf(service)).toEqual(['none'])
  })
})
