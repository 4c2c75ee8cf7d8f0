import { deepEqual, equal } from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'vitest'
import { dpopProofs } from '../http/dpop-header.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { isProofNonce, proofNonce } from './nonce.ts'
import type { ExpectedProof } from './verify-proof.ts'
import { verifyProof } from './verify-proof.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')
const URL_OF = 'https://id.example.com/api/auth/refresh'
const EXPECTED: ExpectedProof = { method: 'POST', url: URL_OF, now: NOW }
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')

interface Made {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly by?: KeyObject
}

const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function proof({ header = {}, claims = {}, by = ec.privateKey }: Made = {}): string {
  const head = text({ typ: 'dpop+jwt', alg: 'ES256', jwk: ec.publicKey.export({ format: 'jwk' }), ...header })
  const body = text({ jti: 'one', htm: 'POST', htu: URL_OF, iat: NOW.getTime() / 1000, ...claims })
  const signed = Buffer.from(`${head}.${body}`)
  const ecdsa = by.asymmetricKeyType === 'ec'
  const signature = sign(ecdsa ? 'sha256' : null, signed, ecdsa ? { key: by, dsaEncoding: 'ieee-p1363' } : by)
  return `${head}.${body}.${signature.toString('base64url')}`
}

const check = (proofs: readonly string[], more: Partial<ExpectedProof> = {}) => {
  const verdict = verifyProof(proofs, { ...EXPECTED, ...more })
  return verdict.kind === 'valid' ? 'valid' : verdict.why
}

test('a proof by either kind of key is valid, and its thumbprint is that of RFC 7638', () => {
  const verdict = verifyProof([proof()], EXPECTED)
  const { x, y } = ec.publicKey.export({ format: 'jwk' })
  const thumbprint = createHash('sha256').update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest('base64url')
  deepEqual([verdict.kind, verdict.kind === 'valid' && verdict.thumbprint], ['valid', thumbprint])
  const jwk = ed.publicKey.export({ format: 'jwk' })
  equal(check([proof({ header: { alg: 'EdDSA', jwk }, by: ed.privateKey })]), 'valid')
  equal(check([proof({ header: { alg: 'Ed25519', jwk }, by: ed.privateKey })]), 'valid')
})

describe('the twelve checks of RFC 9449 section 4.3', () => {
  test('1: one header field, and no more', () => {
    equal(check([]), 'several')
    equal(check([proof(), proof()]), 'several')
    const headers = new Headers([
      ['dpop', proof()],
      ['dpop', proof()],
    ])
    equal(check(dpopProofs(headers) ?? []), 'several')
    equal(dpopProofs(new Headers()), undefined)
    equal(check(dpopProofs(new Headers({ dpop: '' })) ?? []), 'malformed')
  })
  test('2: one well-formed JWT', () => {
    for (const bad of ['x', 'a.b', `${proof()}.x`, `${proof()}=`, `.${proof()}`, 'a.b.c', 'x'.repeat(5000)]) {
      equal(check([bad]), 'malformed')
    }
    equal(check([proof({ header: { crit: ['b64'] } })]), 'malformed')
    equal(check([proof({ header: { jwk: undefined } })]), 'malformed')
  })
  test('3: every claim is there', () => {
    for (const claim of ['jti', 'htm', 'htu', 'iat'])
      equal(check([proof({ claims: { [claim]: undefined } })]), 'claims')
    equal(check([proof({ claims: { jti: 'x'.repeat(257) } })]), 'claims')
    equal(check([proof({ claims: { iat: '0' } })]), 'claims')
  })
  test('4: the type', () => {
    for (const typ of ['JWT', 'at+jwt', 'DPOP+JWT', undefined]) equal(check([proof({ header: { typ } })]), 'typ')
  })
  test('5: an asymmetric algorithm that fits the key', () => {
    for (const alg of ['none', 'HS256', 'RS256', 'EdDSA', 'es256', undefined]) {
      equal(check([proof({ header: { alg } })]), 'alg')
    }
  })
  test('6: the signature, by the very key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    equal(check([proof({ by: other.privateKey })]), 'signature')
    const [head, , signature] = proof().split('.')
    const body = text({ jti: 'two', htm: 'POST', htu: URL_OF, iat: NOW.getTime() / 1000 })
    equal(check([`${head}.${body}.${signature}`]), 'signature')
    const { x } = ec.publicKey.export({ format: 'jwk' })
    equal(check([proof({ header: { jwk: { kty: 'EC', crv: 'P-256', x, y: x } } })]), 'signature')
  })
  test('7: no private part', () => {
    equal(check([proof({ header: { jwk: ec.privateKey.export({ format: 'jwk' }) } })]), 'private-key')
    equal(check([proof({ header: { jwk: { kty: 'oct', k: 'AAAA' }, alg: 'HS256' } })]), 'private-key')
  })
  test('8: the method', () => {
    for (const htm of ['GET', 'post']) equal(check([proof({ claims: { htm } })]), 'htm')
  })
  test('9: the address, without query and fragment, normalised', () => {
    for (const htu of [
      `${URL_OF}?a=1#b`,
      'HTTPS://ID.example.com:443/api/auth/refresh',
      'https://id.example.com/api/x/../auth/%72efresh',
    ]) {
      equal(check([proof({ claims: { htu } })]), 'valid')
    }
    for (const htu of [
      'http://id.example.com/api/auth/refresh',
      'https://id.example.com/api/auth/login',
      'https://id.example.com/api/auth/refresh/',
      'https://evil.example/api/auth/refresh',
      'https://user@id.example.com/api/auth/refresh',
      '/api/auth/refresh',
    ]) {
      equal(check([proof({ claims: { htu } })]), 'htu')
    }
  })
  test('10: the nonce, where the server asks for one', () => {
    const secrets = secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'])
    const isNonce = (nonce: string) => isProofNonce(secrets, nonce, NOW)
    const minutesAgo = (minutes: number) => proofNonce(secrets, new Date(NOW.getTime() - minutes * 60_000))
    equal(check([proof()], { isNonce }), 'nonce')
    equal(check([proof({ claims: { nonce: 'made up' } })], { isNonce }), 'nonce')
    equal(check([proof({ claims: { nonce: minutesAgo(0) } })], { isNonce }), 'valid')
    equal(check([proof({ claims: { nonce: minutesAgo(4) } })], { isNonce }), 'valid')
    equal(check([proof({ claims: { nonce: minutesAgo(11) } })], { isNonce }), 'nonce')
  })
  test('11: its age, either way', () => {
    const iat = (seconds: number) => proof({ claims: { iat: NOW.getTime() / 1000 + seconds } })
    deepEqual([check([iat(-60)]), check([iat(60)])], ['valid', 'valid'])
    deepEqual([check([iat(-61)]), check([iat(61)])], ['iat', 'iat'])
  })
  test('12: with an access token, its hash and the key that it is bound to', () => {
    const verdict = verifyProof([proof()], EXPECTED)
    const thumbprint = verdict.kind === 'valid' ? verdict.thumbprint : undefined
    const ath = createHash('sha256').update('token').digest('base64url')
    const accessToken = { token: 'token', thumbprint }
    equal(check([proof({ claims: { ath } })], { accessToken }), 'valid')
    equal(check([proof()], { accessToken }), 'ath')
    equal(check([proof({ claims: { ath: `${ath}x` } })], { accessToken }), 'ath')
    equal(check([proof({ claims: { ath } })], { accessToken: { token: 'other', thumbprint } }), 'ath')
    equal(check([proof({ claims: { ath } })], { accessToken: { token: 'token', thumbprint: undefined } }), 'ath')
  })
})
