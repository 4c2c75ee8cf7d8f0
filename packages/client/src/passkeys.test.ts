import { afterEach, describe, expect, test, vi } from 'vitest'
import { createPasskey, getPasskey, hasPasskeys } from './passkeys.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const bytes = (...values: number[]) => new Uint8Array(values).buffer
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? `bytes ${[...inner].join()}` : inner)),
  )

/** A browser's `navigator.credentials`, which answers what it is told to. */
function credentials(answer: unknown) {
  const asked: unknown[] = []
  const ask = async (options: unknown) => {
    asked.push(plain(options))
    if (answer instanceof Error) throw answer
    return answer
  }
  vi.stubGlobal('navigator', { credentials: { create: ask, get: ask } })
  return asked
}

const CREDENTIAL = {
  id: '-_8',
  rawId: bytes(251, 255),
  type: 'public-key',
  authenticatorAttachment: 'platform',
}

describe('createPasskey', () => {
  test('gives the browser bytes, and the API base64url', async () => {
    const asked = credentials({
      ...CREDENTIAL,
      response: {
        clientDataJSON: bytes(1),
        attestationObject: bytes(2, 254),
        getTransports: () => ['internal', 'hybrid'],
      },
    })
    const made = await createPasskey({
      rp: { id: 'example.com', name: 'Example' },
      user: { id: 'AQID', name: 'ada', displayName: 'Ada' },
      challenge: '-_8',
      excludeCredentials: [{ id: 'AA', type: 'public-key' }],
      authenticatorSelection: { userVerification: 'required' },
    })
    expect(asked).toEqual([
      {
        publicKey: {
          rp: { id: 'example.com', name: 'Example' },
          user: { id: 'bytes 1,2,3', name: 'ada', displayName: 'Ada' },
          challenge: 'bytes 251,255',
          excludeCredentials: [{ id: 'bytes 0', type: 'public-key' }],
          authenticatorSelection: { userVerification: 'required' },
        },
      },
    ])
    expect(plain(made)).toEqual({
      id: '-_8',
      rawId: '-_8',
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: { clientDataJSON: 'AQ', attestationObject: 'Av4', transports: ['internal', 'hybrid'] },
    })
  })

  test('says when none was made, and why', async () => {
    credentials(new DOMException('the person said no', 'NotAllowedError'))
    const options = { rp: { name: 'x' }, user: { id: 'AA', name: 'x', displayName: 'x' }, challenge: 'AA' }
    await expect(createPasskey(options)).rejects.toMatchObject({
      code: 'PASSKEY_CANCELLED',
      cause: { name: 'NotAllowedError' },
    })
    credentials(null)
    await expect(createPasskey(options)).rejects.toMatchObject({ code: 'PASSKEY_CANCELLED' })
  })
})

describe('getPasskey', () => {
  test.each([
    [bytes(7), { userHandle: 'Bw' }],
    [null, {}],
  ])('gives the API what the browser signed (user handle %s)', async (userHandle, handle) => {
    const asked = credentials({
      ...CREDENTIAL,
      response: { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3), userHandle },
    })
    const allowCredentials = [{ id: 'AA', type: 'public-key' as const, transports: ['usb'] }]
    const signed = await getPasskey({ challenge: 'AQ', rpId: 'example.com', allowCredentials })
    expect(asked).toEqual([
      {
        publicKey: {
          challenge: 'bytes 1',
          rpId: 'example.com',
          allowCredentials: [{ id: 'bytes 0', type: 'public-key', transports: ['usb'] }],
        },
      },
    ])
    expect(plain(signed)).toMatchObject({
      rawId: '-_8',
      response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw', ...handle },
    })
    expect('userHandle' in (plain(signed) as { response: object }).response).toBe(userHandle !== null)
  })
})

test('hasPasskeys', () => {
  expect(hasPasskeys()).toBe(false)
  vi.stubGlobal('PublicKeyCredential', class {})
  expect(hasPasskeys()).toBe(true)
})
