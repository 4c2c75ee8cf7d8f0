import { createHmac, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import fc from 'fast-check'
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import type { SigningAlgorithm } from '../store/contract/keys.ts'
import type { AccessTokenSubject } from './sign.ts'
import { signAccessToken } from './sign.ts'
import { signToken } from './sign-token.ts'
import type { SigningKey } from './signing-key.ts'
import { generateSigningKey, readSigningKey } from './signing-key.ts'
import type { CommonClaims, TokenKind } from './token-kind.ts'
import type { InvalidReason } from './verify-token.ts'
import { verifyToken } from './verify-token.ts'
import { verifyAccessToken } from './verify.ts'

const secrets = secretRing([randomBytes(32).toString('base64url')])
const settings = { issuer: 'https://auth.example', audience: 'https://api.example', ttlMs: 600_000 }
const now = new Date('2026-05-04T12:00:00.700Z')
const seconds = Math.floor(now.getTime() / 1000)

function newKey(alg: SigningAlgorithm): SigningKey {
  const key = generateSigningKey(secrets, alg)
  const none = { createdAt: now, activatedAt: now, retiredAt: null, revokedAt: null }
  return readSigningKey(secrets, { ...key, ...none, state: 'active' })
}

function ringOf(...keys: readonly SigningKey[]) {
  const [signing] = keys
  if (!signing) throw new Error('a ring needs a key')
  return { signing, find: (kid: string) => keys.find((key) => key.kid === kid) }
}

const ring = ringOf(newKey('EdDSA'))
const ring256 = ringOf(newKey('ES256'))

const subject: AccessTokenSubject = {
  userId: newId<UserId>(),
  staffId: newId<StaffId>(),
  tenantId: newId<TenantId>(),
  sessionId: newId<SessionId>(),
  sessionVersion: 3,
  generation: 7,
  authTime: new Date('2026-05-04T11:00:00Z'),
  amr: ['pwd', 'otp'],
  acr: 'aal2',
  sessionEndsAt: new Date('2026-06-01T00:00:00Z'),
}
const { token } = await signAccessToken(ring, settings, subject, now)

const verifyAt = (input: unknown, at: Date, keys: Parameters<typeof verifyAccessToken>[0] = ring) =>
  verifyAccessToken(keys, settings, input, at)
const outcomeOf = (input: unknown, keys = ring) => {
  const outcome = verifyAt(input, now, keys)
  return outcome.kind === 'invalid' ? outcome.reason : outcome.kind
}
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claimsOf = (text: string) =>
  JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
/** A token with a good signature and whatever else is asked for. */
function forge(header: unknown, payload: unknown, key: SigningKey = ring.signing): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${key.sign(Buffer.from(input)).toString('base64url')}`
}
const header = { alg: 'EdDSA', typ: 'at+jwt', kid: ring.signing.kid }
const withClaims = (changes: Record<string, unknown>) => forge(header, { ...claimsOf(token), ...changes })

describe('a token of this service', () => {
  test.each([
    ['EdDSA', ring],
    ['ES256', ring256],
  ] as const)('is valid, carries its claims, and verifies with another library: %s', async (alg, keys) => {
    const actor = newId<UserId>()
    const jkt = randomBytes(32).toString('base64url')
    const signed = await signAccessToken(keys, settings, { ...subject, realUserId: actor, keyThumbprint: jkt }, now)
    const claims = {
      iss: settings.issuer,
      aud: settings.audience,
      sub: subject.userId,
      exp: seconds + 600,
      iat: seconds,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      sid: subject.sessionId,
      tenant_id: subject.tenantId,
      staff_id: subject.staffId,
      session_version: 3,
      gen: 7,
      auth_time: subject.authTime.getTime() / 1000,
      amr: ['pwd', 'otp'],
      acr: 'aal2',
      act: { sub: actor },
      cnf: { jkt },
    }
    expect(verifyAt(signed.token, now, keys)).toEqual({ kind: 'valid', claims })
    expect(signed.expiresAt).toEqual(new Date((seconds + 600) * 1000))
    expect(decodeProtectedHeader(signed.token)).toEqual({ alg, typ: 'at+jwt', kid: keys.signing.kid })
    const { payload } = await jwtVerify(signed.token, await importJWK({ ...keys.signing.publicJwk }, alg), {
      ...settings,
      typ: 'at+jwt',
      currentDate: now,
    })
    expect(payload).toEqual(claims)
  })

  test('names neither an actor nor a key where there is none, and never the same id twice', async () => {
    const again = (await signAccessToken(ring, settings, subject, now)).token
    expect(Object.keys(claimsOf(token))).not.toContain('act')
    expect(Object.keys(claimsOf(token))).not.toContain('cnf')
    expect(claimsOf(again)['jti']).not.toBe(claimsOf(token)['jti'])
  })

  test('does not outlive its session', async () => {
    const sessionEndsAt = new Date(now.getTime() + 90_000)
    const signed = await signAccessToken(ring, settings, { ...subject, sessionEndsAt }, now)
    expect(claimsOf(signed.token)['exp']).toBe(Math.floor(sessionEndsAt.getTime() / 1000))
  })

  test('expires 30 s after its time and no sooner', () => {
    const at = (offset: number) => verifyAt(token, new Date((seconds + 600 + offset) * 1000)).kind
    expect([at(-1), at(29), at(30), at(3600)]).toEqual(['valid', 'valid', 'expired', 'expired'])
  })

  test('is not valid before its time, beyond 30 s of clock difference', () => {
    const at = (offset: number) => verifyAt(token, new Date((seconds + offset) * 1000)).kind
    expect([at(-30), at(-31)]).toEqual(['valid', 'invalid'])
  })
})

test('RFC 8037 A.4: the signature of the example is made and verified', () => {
  const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
  const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
  const jwk = { kty: 'OKP', crv: 'Ed25519', x }
  const key = readSigningKey(secrets, {
    ...generateSigningKey(secrets, 'EdDSA'),
    kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    publicJwk: jwk,
    sealedPrivateKey: null,
    state: 'retired',
    createdAt: now,
    activatedAt: null,
    retiredAt: now,
    revokedAt: null,
  })
  const input = Buffer.from('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc')
  const expected = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
  const made = sign(null, input, createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }))
  expect(made.toString('base64url')).toBe(expected)
  expect(key.verify(input, Buffer.from(expected, 'base64url'))).toBe(true)
  expect(() => key.sign(input)).toThrow(TypeError)
})

test('RFC 7515 A.3: the ES256 signature of the example verifies', () => {
  const publicJwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  }
  const kid = 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U'
  const none = { sealedPrivateKey: null, createdAt: now, activatedAt: null, retiredAt: now, revokedAt: null }
  const key = readSigningKey(secrets, { kid, alg: 'ES256', publicJwk, state: 'retired', ...none })
  const [input, signature] = [
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
    'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  ]
  expect(key.verify(Buffer.from(input), Buffer.from(signature, 'base64url'))).toBe(true)
  expect(key.verify(Buffer.from(`${input}x`), Buffer.from(signature, 'base64url'))).toBe(false)
})

describe('a changed token is refused', () => {
  test.each([
    ['EdDSA', ring],
    ['ES256', ring256],
  ] as const)('whichever bit of it is flipped: %s', async (_, keys) => {
    const good = (await signAccessToken(keys, settings, subject, now)).token
    expect(outcomeOf(good, keys)).toBe('valid')
    const parts = good.split('.').map((part) => Buffer.from(part, 'base64url'))
    fc.assert(
      fc.property(fc.nat(2), fc.nat(), (which, at) => {
        const changed = parts.map((part) => Buffer.from(part))
        const part = changed[which] ?? Buffer.alloc(1)
        const bit = at % (part.length * 8)
        part[bit >> 3] = (part[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verifyAt(changed.map((bytes) => bytes.toString('base64url')).join('.'), now, keys).kind).toBe('invalid')
      }),
      { numRuns: 400 },
    )
  })

  test('whichever character of it is exchanged, dropped or put in', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u0000é'
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(2), fc.constantFrom(...alphabet), (at, how, character) => {
        const [put, dropped] = how === 0 ? [character, 1] : how === 1 ? ['', 1] : [character, 0]
        const changed = token.slice(0, at) + put + token.slice(at + dropped)
        fc.pre(changed !== token)
        expect(verifyAt(changed, now).kind).toBe('invalid')
      }),
      { numRuns: 400 },
    )
  })

  test('also where only the unused bits of its last character differ', () => {
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(token.at(-1) ?? '')
    const twin =
      token.slice(0, -1) + 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.charAt(last + 1)
    expect(Buffer.from(twin, 'base64url').equals(Buffer.from(token, 'base64url'))).toBe(true)
    expect(outcomeOf(twin)).toBe('malformed')
  })
})

test('no input makes verification throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.string(),
        fc.jsonValue().map((value) => forge(header, value)),
      ),
      (input) => {
        expect(verifyAt(input, now).kind).toBe('invalid')
      },
    ),
    { numRuns: 300 },
  )
})

describe('a token is refused by its form:', () => {
  const [h = '', p = '', s = ''] = token.split('.')
  test.each([
    ['nothing', ''],
    ['undefined', undefined],
    ['an object', { token }],
    ['dots alone', '..'],
    ['two parts', `${h}.${p}`],
    ['no signature', `${h}.${p}.`],
    ['four parts', `${token}.${s}`],
    ['five parts, as a JWE has', `${h}.${p}.${s}.${p}.${s}`],
    ['white space around it', ` ${token}`],
    ['the JSON serialisation', JSON.stringify({ protected: h, payload: p, signature: s })],
    ['a signature of another length', `${h}.${p}.${randomBytes(63).toString('base64url')}`],
    ['a header that is no JSON', forge('{', claimsOf(token))],
    ['a header that is a list', forge([header], claimsOf(token))],
    ['a header that is no UTF-8', `${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString('base64url')}.${p}.${s}`],
  ])('%s', (_, input) => {
    expect(outcomeOf(input)).toBe('malformed')
  })

  test('longer than 4 KiB, whatever is in it, before it is looked at', () => {
    const long = withClaims({ padding: 'x'.repeat(4096) })
    expect(outcomeOf(long)).toBe('malformed')
    expect(outcomeOf(withClaims({ padding: 'x'.repeat(1024) }))).toBe('valid')
  })
})

describe('a token is refused by its header, though its signature is good:', () => {
  const own = { ...ring.signing.publicJwk }
  test.each<[string, Record<string, unknown>, InvalidReason]>([
    ['crit', { crit: ['exp'] }, 'malformed'],
    ['crit of nothing', { crit: [] }, 'malformed'],
    ['unencoded payload', { b64: false, crit: ['b64'] }, 'malformed'],
    ['an embedded key, even its own', { jwk: own }, 'malformed'],
    ['jku', { jku: 'https://auth.example/.well-known/jwks.json' }, 'malformed'],
    ['x5u', { x5u: 'https://auth.example/cert.pem' }, 'malformed'],
    ['x5c', { x5c: ['MIIB'] }, 'malformed'],
    ['compression', { zip: 'DEF' }, 'malformed'],
    ['a typ in capitals', { typ: 'AT+JWT' }, 'kind'],
    ['the long form of its typ', { typ: 'application/at+jwt' }, 'kind'],
    ['the typ of another kind', { typ: 'step-up+jwt' }, 'kind'],
    ['the typ of a proof', { typ: 'dpop+jwt' }, 'kind'],
    ['typ JWT', { typ: 'JWT' }, 'kind'],
    ['no typ', { typ: undefined }, 'kind'],
    ['no kid', { kid: undefined }, 'malformed'],
    ['a kid that is a number', { kid: 1 }, 'malformed'],
    ['a kid that is a list', { kid: [ring.signing.kid] }, 'malformed'],
    ['an unknown kid', { kid: newKey('EdDSA').kid }, 'unknown-key'],
    ['a kid that is a path', { kid: '../../dev/null' }, 'unknown-key'],
    ['a kid of the prototype', { kid: '__proto__' }, 'unknown-key'],
    ['another alg than its key has', { alg: 'ES256' }, 'signature'],
    ['the fully specified alg, which its key does not have', { alg: 'Ed25519' }, 'signature'],
    ['alg in other letters', { alg: 'eddsa' }, 'signature'],
    ['no alg', { alg: undefined }, 'signature'],
  ])('%s', (_, changes, reason) => {
    expect(outcomeOf(forge({ ...header, ...changes }, claimsOf(token)))).toBe(reason)
  })

  test.each(['none', 'None', 'nOnE', ''])('alg "%s" with and without a signature', (alg) => {
    const input = `${encode({ ...header, alg })}.${encode(claimsOf(token))}`
    expect(outcomeOf(`${input}.`)).toBe('malformed')
    expect(outcomeOf(`${input}.${Buffer.alloc(64).toString('base64url')}`)).toBe('signature')
  })

  test.each(['HS256', 'HS512'])('%s keyed with the public key', (alg) => {
    for (const keys of [ring, ring256]) {
      const input = `${encode({ ...header, alg, kid: keys.signing.kid })}.${encode(claimsOf(token))}`
      const { x = '', ...rest } = keys.signing.publicJwk
      for (const secret of [Buffer.from(x, 'base64url'), JSON.stringify({ x, ...rest }), keys.signing.kid]) {
        const mac = createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
          .update(input)
          .digest()
        const padded = Buffer.concat([mac, Buffer.alloc(64 - mac.length)])
        for (const signature of [mac, padded]) {
          expect(verifyAt(`${input}.${signature.toString('base64url')}`, now, keys).kind).toBe('invalid')
        }
      }
    }
  })

  test('signed with an embedded key of its own', () => {
    const mallory = newKey('EdDSA')
    for (const kid of [ring.signing.kid, mallory.kid]) {
      const forged = forge({ ...header, kid, jwk: mallory.publicJwk }, claimsOf(token), mallory)
      expect(outcomeOf(forged)).toBe('malformed')
    }
    expect(outcomeOf(forge(header, claimsOf(token), mallory))).toBe('signature')
  })

  test('an ECDSA signature of zeros, or in DER', async () => {
    const input = (await signAccessToken(ring256, settings, subject, now)).token.split('.').slice(0, 2).join('.')
    expect(verifyAt(`${input}.${Buffer.alloc(64).toString('base64url')}`, now, ring256).kind).toBe('invalid')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const der = sign('sha256', Buffer.from(input), privateKey).toString('base64url')
    expect(verifyAt(`${input}.${der}`, now, ring256).kind).toBe('invalid')
  })
})

describe('a token is refused by its claims, though its signature is good:', () => {
  const id = newId<UserId>()
  test.each<[string, Record<string, unknown>, InvalidReason | 'expired']>([
    ['another issuer', { iss: 'https://auth.example.evil' }, 'issuer'],
    ['its issuer with a slash', { iss: `${settings.issuer}/` }, 'issuer'],
    ['no issuer', { iss: undefined }, 'issuer'],
    ['another audience', { aud: 'https://other.example' }, 'audience'],
    ['a list of its audience alone', { aud: [settings.audience] }, 'audience'],
    ['a list with its audience and another', { aud: [settings.audience, 'x'] }, 'audience'],
    ['no audience', { aud: undefined }, 'audience'],
    ['no exp', { exp: undefined }, 'claims'],
    ['exp as text', { exp: String(seconds + 600) }, 'claims'],
    ['exp without end', { exp: 1e300 }, 'claims'],
    ['exp null', { exp: null }, 'claims'],
    ['exp at zero', { exp: 0 }, 'claims'],
    ['exp of a while ago', { exp: seconds - 31 }, 'expired'],
    ['no iat', { iat: undefined }, 'claims'],
    ['iat in the future', { iat: seconds + 31 }, 'claims'],
    ['nbf in the future', { nbf: seconds + 31 }, 'claims'],
    ['nbf as text', { nbf: String(seconds - 100) }, 'claims'],
    ['no sub', { sub: undefined }, 'claims'],
    ['sub that is no UUID', { sub: 'admin' }, 'claims'],
    ['sub in capitals', { sub: subject.userId.toUpperCase().replace('0', 'A') }, 'claims'],
    ['no jti', { jti: undefined }, 'claims'],
    ['sid that is no UUID', { sid: '1' }, 'claims'],
    ['tenant_id that is a list', { tenant_id: [subject.tenantId] }, 'claims'],
    ['no staff_id', { staff_id: undefined }, 'claims'],
    ['session_version as text', { session_version: '3' }, 'claims'],
    ['session_version below zero', { session_version: -1 }, 'claims'],
    ['session_version with a fraction', { session_version: 3.5 }, 'claims'],
    ['no gen', { gen: undefined }, 'claims'],
    ['auth_time null', { auth_time: null }, 'claims'],
    ['amr as text', { amr: 'pwd' }, 'claims'],
    ['amr with a number', { amr: ['pwd', 1] }, 'claims'],
    ['amr with an empty name', { amr: [''] }, 'claims'],
    ['no acr', { acr: undefined }, 'claims'],
    ['acr as a number', { acr: 2 }, 'claims'],
    ['act as text', { act: id }, 'claims'],
    ['act null', { act: null }, 'claims'],
    ['act of nobody', { act: {} }, 'claims'],
    ['act within act', { act: { sub: id, act: { sub: id } } }, 'claims'],
    ['cnf of another method', { cnf: { 'x5t#S256': 'x' } }, 'claims'],
    ['cnf of two methods', { cnf: { jkt: 'a'.repeat(43), 'x5t#S256': 'x' } }, 'claims'],
    ['cnf that is short', { cnf: { jkt: 'abc' } }, 'claims'],
  ])('%s', (_, changes, reason) => {
    expect(outcomeOf(withClaims(changes))).toBe(reason)
  })

  test('a payload that is no object', () => {
    for (const payload of ['null', '[]', '"text"', '{', '']) {
      const outcome = outcomeOf(forge(header, payload))
      expect(outcome).toBe(payload === '' ? 'malformed' : 'claims')
    }
  })

  test('a payload that is no UTF-8', () => {
    const [before = '', after = ''] = JSON.stringify(claimsOf(token)).split('aal2')
    const payload = Buffer.concat([Buffer.from(before), Buffer.from([0x61, 0xff]), Buffer.from(after)])
    const input = `${encode(header)}.${payload.toString('base64url')}`
    const forged = `${input}.${ring.signing.sign(Buffer.from(input)).toString('base64url')}`
    expect(outcomeOf(forged)).toBe('claims')
  })

  test('nbf that has come, and claims that it does not know, are no reason', () => {
    const outcome = verifyAt(withClaims({ nbf: seconds + 30, role: 'owner' }), now)
    expect(outcome.kind).toBe('valid')
    expect(outcome).not.toHaveProperty('claims.role')
  })
})

describe('kinds of token exclude one another', () => {
  interface Note extends CommonClaims {
    readonly purpose: string
  }
  const NOTE: TokenKind<Note> = {
    typ: 'note+jwt',
    read: ({ purpose }, common) => (typeof purpose === 'string' ? { ...common, purpose } : undefined),
  }
  const common = { iss: settings.issuer, aud: settings.audience, iat: seconds, exp: seconds + 60 }
  const note = signToken(ring, NOTE, { ...common, purpose: 'greeting' })

  test('each verifies as itself alone, under the same keys', () => {
    expect(verifyToken(ring, NOTE, settings, note, now)).toEqual({
      kind: 'valid',
      claims: { ...common, purpose: 'greeting' },
    })
    expect(verifyToken(ring, NOTE, settings, token, now)).toEqual({ kind: 'invalid', reason: 'kind' })
    expect(outcomeOf(note)).toBe('kind')
  })

  test('an access token with the claims of a note is no note, nor the other way round', () => {
    const access = forge(header, { ...claimsOf(token), purpose: 'greeting' })
    expect(verifyToken(ring, NOTE, settings, access, now)).toEqual({ kind: 'invalid', reason: 'kind' })
    expect(outcomeOf(forge({ ...header, typ: NOTE.typ }, claimsOf(token)))).toBe('kind')
  })
})
