import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { mmdb } from '../../../../tests/support/mmdb.ts'
import { silent } from '../internal/logger.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { deviceCookieName, newDeviceCookie, readDeviceCookie } from './device.ts'
import { NOWHERE } from './facts.ts'
import { Places } from './place.ts'
import { resolveRisk } from './settings.ts'

const VIENNA = { country: 'AT', city: 'Vienna', latitude: 48.2, longitude: 16.37 }

describe('places', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-place-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('come from an MMDB file, and are unknown where it has nothing', async () => {
    const database = join(folder, 'city.mmdb')
    await writeFile(database, mmdb())
    const places = new Places({ database }, silent)
    await places.start()
    deepEqual(await places.of({ ipAddress: '198.51.100.7' }), VIENNA)
    deepEqual(await places.of({ ipAddress: '9.9.9.9' }), NOWHERE)
    equal(places.broken, false)
  })

  test.each(['127.0.0.1', '10.1.2.3', '192.168.1.1', '172.20.0.1', '::1', 'fd00::1', 'fe80::1', 'nonsense'])(
    'private and loopback addresses have none: %s',
    async (ipAddress) => {
      const places = new Places({ lookup: () => VIENNA }, silent)
      deepEqual(await places.of({ ipAddress }), NOWHERE)
    },
  )

  test('a broken file refuses, and shows', async () => {
    const database = join(folder, 'broken.mmdb')
    await writeFile(database, 'no such thing')
    for (const path of [database, join(folder, 'missing.mmdb')]) {
      const places = new Places({ database: path }, silent)
      await places.start()
      equal(places.broken, true)
      await rejects(places.of({ ipAddress: '198.51.100.7' }), { code: 'UNAVAILABLE' })
    }
  })

  test('a function of the host that throws refuses, and shows until it is well again', async () => {
    let fails = true
    const places = new Places({ lookup: () => (fails ? Promise.reject(new Error('away')) : VIENNA) }, silent)
    await rejects(places.of({ ipAddress: '198.51.100.7' }), { code: 'UNAVAILABLE' })
    equal(places.broken, true)
    fails = false
    await places.of({ ipAddress: '198.51.100.7' })
  })

  test('headers count where the setting names them, and say nothing without a country', async () => {
    const headers = { country: 'x-country', city: 'x-city' }
    const placeHeaders = { country: 'at', city: 'Vienna', latitude: '48.2', longitude: '16.37' }
    const ipAddress = '198.51.100.7'
    deepEqual(await new Places({ headers }, silent).of({ ipAddress, placeHeaders }), VIENNA)
    deepEqual(await new Places({}, silent).of({ ipAddress, placeHeaders }), NOWHERE)
    for (const country of ['XX', '', 'Austria']) {
      deepEqual(await new Places({ headers }, silent).of({ ipAddress, placeHeaders: { country } }), NOWHERE)
    }
  })
})

describe('the device cookie', () => {
  const [secrets, others] = [
    'kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs',
    'b7Wv0yQ2n8Jm4KpTz6Xc1RfLd5HgAs9EuYiOo3MwVtQ',
  ].map((secret) => secretRing([secret])) as [ReturnType<typeof secretRing>, ReturnType<typeof secretRing>]
  const https = { issuer: 'https://id.example.com' }
  const http = { issuer: 'http://localhost:8080' }

  test('has the prefix that keeps sibling domains out, and none over plain http', () => {
    const { setCookie } = newDeviceCookie(secrets, https)
    equal(deviceCookieName(https), '__Host-sallyport-device')
    equal(setCookie.endsWith('; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure'), true)
    const plain = newDeviceCookie(secrets, http).setCookie
    deepEqual([plain.startsWith('sallyport-device='), plain.includes('Secure')], [true, false])
  })

  test('is recognised by its signature alone', () => {
    const { setCookie, cookieHash } = newDeviceCookie(secrets, https)
    const cookie = setCookie.split(';')[0] ?? ''
    equal(readDeviceCookie(secrets, https, `a=b; ${cookie}; c=d`), cookieHash)
    equal(readDeviceCookie(others, https, cookie), undefined)
    equal(readDeviceCookie(secrets, http, cookie), undefined)
    const last = cookie.at(-1) === 'A' ? 'B' : 'A'
    for (const bad of [null, '', 'x=y', `${cookie.slice(0, -1)}${last}`, `${cookie}x`, cookie.replace('d1.', 'd2.')]) {
      equal(readDeviceCookie(secrets, https, bad), undefined)
    }
  })
})

test.each([
  [{ stepUpAt: 0 }],
  [{ stepUpAt: 70, blockAt: 60 }],
  [{ weights: { NO_SUCH: 1 } }],
  [{ weights: { NEW_DEVICE: -1 } }],
  [{ thresholds: { manySessions: 0 } }],
  [{ mode: 'loud' as 'off' }],
  [{ signals: [{ name: 'NEW_DEVICE', points: 1, soft: true, find: () => undefined }] }],
])('a policy that is none is refused at start: %j', (options) => {
  try {
    resolveRisk(options)
  } catch (error) {
    equal((error as { code?: string }).code, 'CONFIG_INVALID')
    return
  }
  throw new Error('accepted')
})
