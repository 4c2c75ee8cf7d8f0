import { afterEach, expect, test, vi } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, withPages } from '../testing/page.tsx'
import { useMfa } from './use-mfa.ts'

withPages()

const bytes = (text: string) => new TextEncoder().encode(text).buffer

/** A browser that makes a passkey, or does not. */
function authenticator(create: (options: CredentialCreationOptions) => Promise<unknown>) {
  const made = vi.fn(create)
  Object.defineProperty(navigator, 'credentials', { value: { create: made }, configurable: true })
  return made
}

afterEach(() => Reflect.deleteProperty(navigator, 'credentials'))

const PASSKEY = {
  id: 'passkey',
  rawId: bytes('passkey'),
  type: 'public-key',
  authenticatorAttachment: 'platform',
  response: { clientDataJSON: bytes('{}'), attestationObject: bytes('made') },
}

async function open() {
  const page = openPage()
  page.answer('POST /security/mfa/passkeys/options', {
    challenge: 'Y2hhbGxlbmdl',
    user: { id: 'dXNlcg', name: 'ana', displayName: 'Ana' },
  })
  page.answer('POST /security/mfa/passkeys', { recoveryCodes: ['one', 'two'] })
  const mfa = await page.use(() => useMfa())
  return { page, mfa }
}

test('a passkey is made by the browser and enrolled, and its recovery codes are handed out', async () => {
  const made = authenticator(async () => PASSKEY)
  const { page, mfa } = await open()
  const outcome = await during(() => mfa.current.addPasskey.run({ label: 'Laptop', password: 'a' }))
  expect(outcome).toEqual({ ok: true, value: { recoveryCodes: ['one', 'two'] } })
  expect(page.asked().slice(1, 3)).toEqual(['POST /security/mfa/passkeys/options', 'POST /security/mfa/passkeys'])
  const [options, enrolment] = page.service.asked.filter(({ request }) => request.url.includes('passkeys'))
  expect(options?.body).toEqual({ password: 'a' })
  expect(enrolment?.body).toMatchObject({ label: 'Laptop', response: { id: 'passkey', type: 'public-key' } })
  expect(made).toHaveBeenCalledOnce()
  expect(page.sallyport.page.getState().notices).toHaveLength(1)
  // What the list shows is old by then.
  expect(page.asked().slice(3)).toEqual(['GET /security/mfa'])
})

test('a passkey without a name is enrolled without one', async () => {
  authenticator(async () => PASSKEY)
  const { page, mfa } = await open()
  await during(() => mfa.current.addPasskey.run({ label: '' }))
  const [options, enrolment] = page.service.asked.filter(({ request }) => request.url.includes('passkeys'))
  expect(options?.body).toEqual({})
  expect(Object.keys(enrolment?.body as object)).toEqual(['response'])
})

test('where the browser makes none, nothing is enrolled', async () => {
  authenticator(async () => {
    throw new DOMException('not allowed', 'NotAllowedError')
  })
  const { page, mfa } = await open()
  await during(() => mfa.current.addPasskey.run({ label: 'Laptop' }))
  expect(mfa.current.addPasskey).toMatchObject({ busy: false, error: { code: 'PASSKEY_CANCELLED' } })
  expect(page.asked()).not.toContain('POST /security/mfa/passkeys')
})

test('a first factor that needs the password says so before the browser is asked', async () => {
  const made = authenticator(async () => PASSKEY)
  const { page, mfa } = await open()
  page.answer('POST /security/mfa/passkeys/options', () => problem(401, 'INVALID_CREDENTIALS'))
  await during(() => mfa.current.addPasskey.run({ label: 'Laptop' }))
  expect(mfa.current.addPasskey.error).toMatchObject({ code: 'INVALID_CREDENTIALS' })
  expect(made).not.toHaveBeenCalled()
  // A wrong password is no end of a session.
  expect(page.sallyport.page.getState().auth.status).toBe('signed-in')
})
