/**
 * Tokens as attackers make them, in the classes of published test vectors for JWS: confusion of algorithms and keys, keys that a token
 * brings along, spellings that two readers read differently, and signatures at the edges of both curves.
 *
 * @module
 */

import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import type { SigningAlgorithm } from '../store/contract/keys.ts'
import { signAccessToken } from './sign.ts'
import type { SigningKey } from './signing-key.ts'
import { generateSigningKey, readSigningKey } from './signing-key.ts'
import { verifyAccessToken } from './verify.ts'

const secrets = secretRing([randomBytes(32).toString('base64url')])
const settings = { issuer: 'https://auth.example', audience: 'https://api.example', ttlMs: 600_000 }
const now = new Date('2026-05-04T12:00:00.700Z')

function newKey(alg: SigningAlgorithm): SigningKey {
  const none = { createdAt: now, activatedAt: now, retiredAt: null, revokedAt: null }
  return readSigningKey(secrets, { ...generateSigningKey(secrets, alg), ...none, state: 'active' })
}
const [ed, ec, mallory] = [newKey('EdDSA'), newKey('ES256'), newKey('EdDSA')]
/** Both kinds of key in one ring, as while the algorithm is being changed. */
const ring = { find: (kid: string) => [ed, ec].find((key) => key.kid === kid) }

const subject = {
  userId: newId<UserId>(),
  staffId: newId<StaffId>(),
  tenantId: newId<TenantId>(),
  sessionId: newId<SessionId>(),
  sessionVersion: 1,
  generation: 0,
  authTime: now,
  amr: ['pwd'],
  acr: 'aal1',
  sessionEndsAt: new Date('2026-06-01T00:00:00Z'),
}
const good = { EdDSA: await tokenBy(ed), ES256: await tokenBy(ec) }
async function tokenBy(signing: SigningKey): Promise<string> {
  return (await signAccessToken({ signing }, settings, subject, now)).token
}

const b64 = (value: string | Uint8Array) => Buffer.from(value as Uint8Array).toString('base64url')
const json = (value: unknown) => b64(JSON.stringify(value))
const parts = (token: string) => token.split('.') as [string, string, string]
const headerOf = (key: SigningKey) => ({ alg: key.alg as string, typ: 'at+jwt', kid: key.kid })
const claims = JSON.parse(Buffer.from(parts(good.EdDSA)[1], 'base64url').toString()) as Record<string, unknown>

/** Signed well, by the ring's own key, whatever the header says. */
function signed(header: string, payload: string, key: SigningKey = ed): string {
  return `${header}.${payload}.${b64(key.sign(Buffer.from(`${header}.${payload}`)))}`
}
const withHeader = (changes: Record<string, unknown>, key = ed) =>
  signed(json({ ...headerOf(key), ...changes }), parts(good[key.alg])[1], key)
const withSignature = (alg: SigningAlgorithm, signature: Uint8Array | string) => {
  const [header, payload] = parts(good[alg])
  return `${header}.${payload}.${typeof signature === 'string' ? signature : b64(signature)}`
}

const verdict = (token: unknown) => verifyAccessToken(ring, settings, token, now).kind
function refused(tokens: Readonly<Record<string, unknown>>): void {
  for (const [what, token] of Object.entries(tokens)) {
    if (Object.values(good).includes(token as string)) throw new TypeError(`${what}: is the good token`)
    expect(verdict(token), what).toBe('invalid')
  }
}

test('the tokens that the others are made of are valid', () => {
  expect(Object.values(good).map(verdict)).toEqual(['valid', 'valid'])
  expect(verdict(signed(json(headerOf(ed)), json(claims)))).toBe('valid')
})

describe('algorithms', () => {
  test('none, in every spelling, with and without a signature', () => {
    for (const key of [ed, ec]) {
      const [, payload, signature] = parts(good[key.alg])
      for (const alg of [
        'none',
        'None',
        'NONE',
        'nOnE',
        'none ',
        ' none',
        'none\u0000',
        'null',
        '',
        null,
        undefined,
        false,
        0,
      ]) {
        const header = json({ ...headerOf(key), alg })
        refused({
          [`${String(alg)} unsigned`]: `${header}.${payload}.`,
          [`${String(alg)} without the last dot`]: `${header}.${payload}`,
          [`${String(alg)} with the old signature`]: `${header}.${payload}.${signature}`,
          [`${String(alg)} with a good signature`]: signed(header, payload, key),
          [`${String(alg)} with zeros`]: `${header}.${payload}.${b64(Buffer.alloc(64))}`,
        })
      }
      refused({ 'without kid': `${json({ alg: 'none', typ: 'at+jwt' })}.${payload}.` })
    }
  })

  test('a MAC keyed with what is public of the key', () => {
    for (const key of [ed, ec]) {
      const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' })
      const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string
      const der = publicKey.export({ format: 'der', type: 'spki' })
      const publics: readonly (string | Buffer)[] = [
        pem,
        pem.trimEnd(),
        pem.replaceAll('\n', ''),
        pem.replaceAll('\n', '\r\n'),
        der,
        der.toString('base64'),
        Buffer.from(key.publicJwk['x'] ?? '', 'base64url'),
        key.publicJwk['x'] ?? '',
        JSON.stringify(key.publicJwk),
        JSON.stringify({ keys: [key.publicJwk] }),
        key.kid,
        '',
        settings.issuer,
      ]
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS384', 'sha384'],
        ['HS512', 'sha512'],
      ] as const) {
        const input = `${json({ ...headerOf(key), alg })}.${json(claims)}`
        for (const [index, secret] of publics.entries()) {
          const mac = createHmac(hash, secret).update(input).digest()
          const padded = Buffer.concat([mac, Buffer.alloc(64)]).subarray(0, 64)
          refused({
            [`${alg} ${index}`]: `${input}.${b64(mac)}`,
            [`${alg} ${index} padded`]: `${input}.${b64(padded)}`,
          })
        }
      }
    }
  })

  test('any other than the key’s own, though the signature is good', () => {
    const others = [
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256K',
      'ES384',
      'ES512',
      'ESP256',
      'Ed25519',
      'Ed448',
    ]
    for (const key of [ed, ec]) {
      for (const alg of [
        ...others,
        key.alg === 'EdDSA' ? 'ES256' : 'EdDSA',
        key.alg.toLowerCase(),
        ` ${key.alg}`,
        [key.alg],
        { alg: key.alg },
      ]) {
        refused({ [`${JSON.stringify(alg)} for ${key.alg}`]: withHeader({ alg }, key) })
      }
    }
  })

  test('one key’s signature under the other’s name', () => {
    const claimed = (alg: string, kid: string, by: SigningKey) =>
      signed(json({ alg, typ: 'at+jwt', kid }), json(claims), by)
    refused({
      'Ed25519 as the P-256 key': claimed('ES256', ec.kid, ed),
      'P-256 as the Ed25519 key': claimed('EdDSA', ed.kid, ec),
      'another Ed25519 key': claimed('EdDSA', ed.kid, mallory),
      'another Ed25519 key under its own name': claimed('EdDSA', mallory.kid, mallory),
      'the signature of another token': withSignature(
        'EdDSA',
        parts(signed(json(headerOf(ed)), json({ ...claims, gen: 1 })))[2],
      ),
    })
  })
})

describe('keys and instructions that a token brings along', () => {
  const own = { ...mallory.publicJwk, alg: 'EdDSA', use: 'sig', kid: mallory.kid }
  const BROUGHT: Readonly<Record<string, Record<string, unknown>>> = {
    jwk: { jwk: own },
    'jwk of the ring itself': { jwk: ed.publicJwk },
    jku: { jku: 'https://evil.example/jwks.json' },
    'jku of the issuer': { jku: `${settings.issuer}/.well-known/jwks.json` },
    'jku with a user': { jku: 'https://auth.example@evil.example/jwks.json' },
    x5u: { x5u: 'https://evil.example/chain.pem' },
    x5c: { x5c: ['MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'] },
    x5t: { x5t: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA' },
    'x5t#S256': { 'x5t#S256': b64(Buffer.alloc(32)) },
    crit: { crit: ['exp'], exp: 1 },
    'crit of nothing': { crit: [] },
    'crit of what is known': { crit: ['alg'] },
    'crit twice': { crit: ['b64', 'b64'], b64: true },
    'crit as text': { crit: 'b64' },
    'an unencoded payload': { b64: false, crit: ['b64'] },
    'b64 alone': { b64: false },
    zip: { zip: 'DEF' },
    enc: { enc: 'A128GCM' },
    epk: { epk: own },
    p2c: { p2c: 2_147_483_647 },
    cty: { cty: 'JWT' },
    url: { url: 'https://evil.example' },
    nonce: { nonce: 'x' },
    __proto__: JSON.parse('{"__proto__":{"alg":"none"}}') as Record<string, unknown>,
    constructor: { constructor: { name: 'x' } },
  }
  test.each(Object.keys(BROUGHT))('%s', (name) => {
    const brought = BROUGHT[name] as Record<string, unknown>
    refused({ 'signed by the ring': withHeader(brought) })
    const header = json({ alg: 'EdDSA', typ: 'at+jwt', kid: ed.kid, ...brought })
    refused({ 'signed by what it brings': signed(header, json(claims), mallory) })
    refused({
      'under the name of what it brings': signed(
        json({ alg: 'EdDSA', typ: 'at+jwt', kid: mallory.kid, ...brought }),
        json(claims),
        mallory,
      ),
    })
  })

  test.each([
    ['a path', '../../../../dev/null'],
    ['a file', 'file:///dev/null'],
    ['an address', 'https://evil.example/key'],
    ['SQL', "x' union select 'key"],
    ['a command', '| true'],
    ['a NUL', '\u0000'],
    ['the prototype', '__proto__'],
    ['a method', 'toString'],
    ['nothing', ''],
    ['a number', 7],
    ['null', null],
    ['a list', [ed.kid]],
    ['an object', { kid: ed.kid }],
    ['its own with a space', `${ed.kid} `],
    ['its own in capitals', ed.kid.toUpperCase()],
    ['two', `${ed.kid},${ec.kid}`],
    ['a long one', 'k'.repeat(2000)],
  ])('a kid that is %s', (_what, kid) => {
    refused({
      'signed by the ring': withHeader({ kid }),
      unsigned: `${json({ alg: 'none', typ: 'at+jwt', kid })}.${json(claims)}.`,
    })
    refused({
      'a MAC under the empty key': `${json({ alg: 'HS256', typ: 'at+jwt', kid })}.${json(claims)}.${b64(createHmac('sha256', '').update('x').digest())}`,
    })
  })
})

describe('spellings', () => {
  const [header, payload, signature] = parts(good.EdDSA)
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  /** The same bytes, with bits set that decoding throws away; `undefined` where there are none. */
  const twin = (text: string): string | undefined => {
    const last = ALPHABET.indexOf(text.at(-1) ?? '')
    const spare = text.length % 4 === 2 ? 4 : text.length % 4 === 3 ? 2 : 0
    return spare === 0 ? undefined : text.slice(0, -1) + ALPHABET.charAt(last ^ 1)
  }

  test('of base64url that is not the one way to write it, signed as it stands', () => {
    const padded = (text: string) => text + '='.repeat((4 - (text.length % 4)) % 4 || 4)
    const variants = (text: string): readonly (string | undefined)[] => [
      padded(text),
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      `${text.slice(0, 8)}\r\n${text.slice(8)}`,
      `${text.slice(0, 8)} ${text.slice(8)}`,
      `${text.slice(0, 8)}%${text.slice(8)}`,
      `${text}A`,
      `${text}AA`,
      twin(text),
    ]
    for (const [index, other] of variants(header).entries())
      if (other) refused({ [`header ${index}`]: signed(other, payload) })
    for (const [index, other] of variants(payload).entries())
      if (other) refused({ [`payload ${index}`]: signed(header, other) })
    for (const [index, other] of variants(signature).entries()) {
      if (other) refused({ [`signature ${index}`]: `${header}.${payload}.${other}` })
    }
    expect(twin(signature)).toBeDefined()
    // The classic alphabet, where the two differ.
    const classic = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')
    const other = withSignature('EdDSA', Buffer.alloc(64, 0xfb))
    refused({ classic: classic(other), 'classic of its own': `${header}.${payload}.+/${signature.slice(2)}` })
  })

  test('of JSON that two readers read differently, signed as it stands', () => {
    const head = JSON.stringify(headerOf(ed))
    const body = JSON.stringify(claims)
    const HEADERS: Readonly<Record<string, string>> = {
      'alg twice, the good one last': head.replace('{', '{"alg":"none",'),
      'alg twice, the good one first': head.replace('}', ',"alg":"none"}'),
      'kid twice, the good one last': head.replace('{', `{"kid":"${mallory.kid}",`),
      'typ twice, the same': head.replace('{', '{"typ":"at+jwt",'),
      'alg escaped': head.replace('"alg"', '"\\u0061lg"'),
      'alg twice, once escaped': head.replace('{', '{"\\u0061lg":"none",'),
      'white space': head.replace(':', ': '),
      'a newline at the end': `${head}\n`,
      'a byte order mark': `\ufeff${head}`,
      'more than JSON': `${head}{}`,
      'a comment': head.replace('{', '{/**/'),
      'single quotes': head.replaceAll('"', "'"),
      'a list': `[${head}]`,
      text: JSON.stringify(head),
      'another order': JSON.stringify({ kid: ed.kid, typ: 'at+jwt', alg: 'none' }),
    }
    for (const [what, text] of Object.entries(HEADERS)) refused({ [what]: signed(b64(text), payload) })
    const PAYLOADS: Readonly<Record<string, string>> = {
      'sub twice': body.replace('{', `{"sub":"${newId<UserId>()}",`),
      'sub twice, the other last': body.replace('}', `,"sub":"${newId<UserId>()}"}`),
      'tenant_id twice, once escaped': body.replace('{', `{"tenant\\u005fid":"${newId<TenantId>()}",`),
      'exp twice': body.replace('{', '{"exp":9999999999,'),
      'exp with a fraction of nothing': body.replace(/"exp":(\d+)/, '"exp":$1.0'),
      'exp with an exponent': body.replace(/"exp":\d+/, '"exp":9e9'),
      'exp beyond numbers': body.replace(/"exp":\d+/, '"exp":1e400'),
      'exp beyond exactness': body.replace(/"exp":\d+/, '"exp":9007199254740993'),
      'exp below zero': body.replace(/"exp":\d+/, '"exp":-1'),
      'white space': ` ${body}`,
      'a byte order mark': `\ufeff${body}`,
      'more than JSON': `${body}]`,
      nothing: '{}',
    }
    for (const [what, text] of Object.entries(PAYLOADS)) refused({ [what]: signed(header, b64(text)) })
    refused({
      'bytes that are no UTF-8': signed(
        header,
        b64(Buffer.concat([Buffer.from(body.slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')])),
      ),
      'UTF-16': signed(header, b64(Buffer.from(body, 'utf16le'))),
    })
  })

  test('of the whole', () => {
    const general = { payload, signatures: [{ protected: header, signature }] }
    refused({
      'flattened JSON': JSON.stringify({ protected: header, payload, signature }),
      'flattened JSON with a free header': JSON.stringify({ header: headerOf(ed), payload, signature }),
      'general JSON': JSON.stringify(general),
      'JSON, encoded': json(general),
      'a detached payload': `${header}..${signature}`,
      'a JWE': `${header}.${payload}.${signature}.${payload}.${signature}`,
      'four parts': `${good.EdDSA}.${signature}`,
      'two parts': `${header}.${payload}`,
      'dots alone': '..',
      'a dot before': `.${good.EdDSA}`,
      'a dot behind': `${good.EdDSA}.`,
      'the scheme before it': `Bearer ${good.EdDSA}`,
      'white space before': ` ${good.EdDSA}`,
      'a newline behind': `${good.EdDSA}\n`,
      'a NUL behind': `${good.EdDSA}\u0000`,
      'two tokens': `${good.EdDSA},${good.ES256}`,
      'a full stop of another script': good.EdDSA.replaceAll('.', '\u3002'),
      'within itself': signed(json({ ...headerOf(ed), cty: 'JWT' }), b64(good.EdDSA)),
      'a payload that is a token': signed(header, b64(good.EdDSA)),
      'its parts exchanged': `${payload}.${header}.${signature}`,
      'the header of another': `${parts(good.ES256)[0]}.${payload}.${signature}`,
      'a list': [good.EdDSA],
      'an object that reads as it': { toString: () => good.EdDSA },
      bytes: Buffer.from(good.EdDSA),
      'a hundred thousand letters': 'a'.repeat(100_000),
      'a long payload': signed(header, json({ ...claims, pad: 'x'.repeat(5000) })),
      'deep nesting': signed(header, b64(`{"a":${'['.repeat(1200)}${']'.repeat(1200)}}`)),
    })
  })
})

describe('kind, issuer, audience', () => {
  test('every typ but its own', () => {
    const KINDS = [
      'JWT',
      'jwt',
      'JOSE',
      'at+JWT',
      'AT+JWT',
      'application/at+jwt',
      'at+jwt ',
      'step-up+jwt',
      'stepup+jwt',
      'dpop+jwt',
      'logout+jwt',
      'secevent+jwt',
      'id+jwt',
      'vc+jwt',
      '',
      null,
      7,
      ['at+jwt'],
    ]
    for (const key of [ed, ec])
      for (const typ of KINDS) refused({ [`${JSON.stringify(typ)} ${key.alg}`]: withHeader({ typ }, key) })
  })

  test('every issuer and audience but its own', () => {
    const other = (changes: Record<string, unknown>) => signed(json(headerOf(ed)), json({ ...claims, ...changes }))
    const near = (value: string) => [
      `${value}/`,
      value.toUpperCase(),
      ` ${value}`,
      `${value}.evil.example`,
      value.replace('https', 'http'),
      `${value}\u0000`,
      '',
      null,
      undefined,
      0,
      true,
      {},
      [],
      [value],
      [[value]],
      { 0: value },
    ]
    for (const iss of near(settings.issuer)) refused({ [`iss ${JSON.stringify(iss)}`]: other({ iss }) })
    for (const aud of [...near(settings.audience), [settings.audience, 'https://evil.example'], settings.issuer, '*']) {
      refused({ [`aud ${JSON.stringify(aud)}`]: other({ aud }) })
    }
  })
})

describe('every bit of a token', () => {
  test.each(['EdDSA', 'ES256'] as const)('of %s, flipped in header, payload and signature', (alg) => {
    const bytes = parts(good[alg]).map((part) => Buffer.from(part, 'base64url'))
    let flips = 0
    for (const [which, part] of bytes.entries()) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const changed = bytes.map((one) => Buffer.from(one))
        const target = changed[which] as Buffer
        target[bit >> 3] = (target[bit >> 3] as number) ^ (1 << (bit & 7))
        const token = changed.map((one) => one.toString('base64url')).join('.')
        if (verdict(token) !== 'invalid') throw new Error(`part ${which}, bit ${bit}`)
        flips++
      }
    }
    expect(flips).toBeGreaterThan(4000)
  })
})

/** Little-endian, as Ed25519 has its numbers. */
function little(value: bigint, length = 32): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = Number((value >> BigInt(8 * at)) & 255n)
  return bytes
}
function fromLittle(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}
function big(value: bigint, length = 32): Buffer {
  return little(value, length).reverse()
}
const fromBig = (bytes: Uint8Array) => fromLittle(Uint8Array.from(bytes).reverse())

describe('Ed25519 at its edges', () => {
  const P = 2n ** 255n - 19n
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const signature = Buffer.from(parts(good.EdDSA)[2], 'base64url')
  const [R, S] = [signature.subarray(0, 32), signature.subarray(32)]
  const made = (r: Uint8Array, s: Uint8Array) => withSignature('EdDSA', Buffer.concat([r, s]))
  /** The points of order 8 and less, and the other spellings of them. */
  const LOW = [
    ...[0n, 1n, P - 1n].map((y) => little(y)),
    Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex'),
    Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex'),
  ].flatMap((point) => {
    const signed = Buffer.from(point)
    signed[31] = (signed[31] as number) | 0x80
    return [point, signed]
  })
  const TWICE = [P, P + 1n, 2n ** 255n - 1n].map((y) => little(y))

  test('S beyond the order of the group: the same signature written twice', () => {
    const s = fromLittle(S)
    const tokens: Record<string, string> = {}
    for (let times = 1n; s + times * L < 2n ** 256n; times++) tokens[`S + ${times} L`] = made(R, little(s + times * L))
    expect(Object.keys(tokens).length).toBeGreaterThan(10)
    refused({
      ...tokens,
      'S = L': made(R, little(L)),
      'S = 0': made(R, Buffer.alloc(32)),
      'S of ones': made(R, Buffer.alloc(32, 0xff)),
      '-S': made(R, little(L - s)),
      'S reversed': made(R, Buffer.from(S).reverse()),
    })
  })

  test('points of low order, and points that are spelt beyond the field', () => {
    for (const [index, point] of [...LOW, ...TWICE].entries()) {
      refused({
        [`R ${index}, S = 0`]: made(point, Buffer.alloc(32)),
        [`R ${index}, S as it was`]: made(point, S),
        [`R ${index}, S = L`]: made(point, little(L)),
        [`R as it was, S ${index}`]: made(R, point),
      })
    }
    const negated = Buffer.from(R)
    negated[31] = (negated[31] as number) ^ 0x80
    refused({ '-R': made(negated, S), 'R = S': made(S, S), exchanged: made(S, R) })
  })

  test('signatures of another length or kind', () => {
    for (const length of [0, 1, 32, 63, 65, 66, 96, 114, 128]) {
      refused({
        [`${length} bytes`]: withSignature('EdDSA', Buffer.concat([signature, Buffer.alloc(64)]).subarray(0, length)),
      })
    }
    const { privateKey } = generateKeyPairSync('ed448')
    const [header, payload] = parts(good.EdDSA)
    refused({
      Ed448: withSignature('EdDSA', sign(null, Buffer.from(`${header}.${payload}`), privateKey)),
      'of the payload alone': withSignature('EdDSA', ed.sign(Buffer.from(payload))),
      'of the header alone': withSignature('EdDSA', ed.sign(Buffer.from(header))),
      'of the decoded parts': withSignature(
        'EdDSA',
        ed.sign(Buffer.concat([header, payload].map((part) => Buffer.from(part, 'base64url')))),
      ),
      'of what is there without its dot': withSignature('EdDSA', ed.sign(Buffer.from(header + payload))),
      zeros: withSignature('EdDSA', Buffer.alloc(64)),
      ones: withSignature('EdDSA', Buffer.alloc(64, 0xff)),
    })
  })
})

describe('ECDSA on P-256 at its edges', () => {
  const N = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const P = BigInt('0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff')
  const signature = Buffer.from(parts(good.ES256)[2], 'base64url')
  const [r, s] = [fromBig(signature.subarray(0, 32)), fromBig(signature.subarray(32))]
  const made = (one: bigint, other: bigint) => withSignature('ES256', Buffer.concat([big(one), big(other)]))

  test('r and s at and beyond their bounds', () => {
    const EDGES = [0n, 1n, 2n, N - 2n, N - 1n, N, N + 1n, P - 1n, P, 2n ** 255n, 2n ** 256n - 1n, N / 2n, N / 2n + 1n]
    for (const one of EDGES) {
      refused({ [`r = ${one}`]: made(one, s), [`s = ${one}`]: made(r, one) })
      for (const other of EDGES) refused({ [`r = ${one}, s = ${other}`]: made(one, other) })
    }
    if (r + N < 2n ** 256n) refused({ 'r + n': made(r + N, s) })
    if (s + N < 2n ** 256n) refused({ 's + n': made(r, s + N) })
    refused({ exchanged: made(s, r), '-r': made(N - r, s) })
  })

  test('spellings and lengths', () => {
    const input = Buffer.from(parts(good.ES256).slice(0, 2).join('.'))
    const minimal = (value: bigint) => big(value, Math.max(1, Math.ceil(value.toString(16).length / 2)))
    const integer = (value: bigint) => {
      const bytes = minimal(value)
      const body = (bytes[0] as number) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
      return Buffer.concat([Buffer.from([2, body.length]), body])
    }
    const sequence = Buffer.concat([integer(r), integer(s)])
    const der = Buffer.concat([Buffer.from([0x30, sequence.length]), sequence])
    refused({
      DER: withSignature('ES256', der),
      'DER, cut to length': withSignature('ES256', der.subarray(0, 64)),
      'longer numbers': withSignature('ES256', Buffer.concat([big(r, 33), big(s, 33)])),
      'shorter numbers': withSignature('ES256', Buffer.concat([big(r, 31), big(s, 31)])),
      'a byte more': withSignature('ES256', Buffer.concat([signature, Buffer.alloc(1)])),
      'a byte before': withSignature('ES256', Buffer.concat([Buffer.alloc(1), signature])),
      twice: withSignature('ES256', Buffer.concat([signature, signature])),
      half: withSignature('ES256', signature.subarray(0, 32)),
      empty: withSignature('ES256', ''),
      reversed: withSignature('ES256', Buffer.from(signature).reverse()),
      'each half reversed': withSignature(
        'ES256',
        Buffer.concat([
          Buffer.from(signature.subarray(0, 32)).reverse(),
          Buffer.from(signature.subarray(32)).reverse(),
        ]),
      ),
    })
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
    refused({
      'another curve': withSignature('ES256', sign('sha256', input, { key: other, dsaEncoding: 'ieee-p1363' })),
      'another hash': withSignature('ES256', signedAs('sha384', input)),
    })
  })

  /** A signature by a key of the right curve that is not ours, over another digest. */
  function signedAs(hash: string, input: Buffer): Buffer {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return sign(hash, input, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  }

  test('the other half of a signature is one too, by the standard: it says the same of the same session, and no more', () => {
    const twin = verifyAccessToken(ring, settings, made(r, N - s), now)
    expect(twin).toEqual(verifyAccessToken(ring, settings, good.ES256, now))
  })
})
