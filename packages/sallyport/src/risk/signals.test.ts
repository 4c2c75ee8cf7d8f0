import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, test } from 'vitest'
import { assess } from './assess.ts'
import type { RiskFacts, SeenSession, Signal } from './facts.ts'
import { NOWHERE } from './facts.ts'
import { decide } from './policy.ts'
import { resolveRisk } from './settings.ts'
import { SIGNALS } from './signals.ts'
import { RAPID_TOKEN_CREATION, rapidTokenCreation } from './signals/rapid-token-creation.ts'
import { distanceKm } from './travel.ts'

const NOW = new Date('2030-01-01T12:00:00.000Z')
const VIENNA = { country: 'AT', city: 'Vienna', latitude: 48.2, longitude: 16.37 }
const TOKYO = { country: 'JP', city: 'Tokyo', latitude: 35.68, longitude: 139.69 }
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const FIREFOX_LATER = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'
const EDGE =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'

const { thresholds } = resolveRisk()
const ago = (ms: number) => new Date(NOW.getTime() - ms)

function seen(of: Partial<SeenSession> = {}): SeenSession {
  return {
    ...VIENNA,
    fingerprint: 'phone',
    cookieHash: null,
    lastSeenAt: ago(3_600_000),
    ipAddress: '192.0.2.7',
    userAgent: FIREFOX,
    ...of,
  }
}

function facts(
  of: Partial<Omit<RiskFacts, 'request'>> & { readonly request?: Partial<RiskFacts['request']> } = {},
): RiskFacts {
  const { request, ...rest } = of
  return {
    at: 'refresh',
    now: NOW,
    history: [],
    session: null,
    liveSessions: 1,
    youngSessions: 0,
    recentFailures: 0,
    sharedGenerations: 0,
    recentMfa: false,
    deviceTrusted: false,
    thresholds,
    ...rest,
    request: {
      ipAddress: '192.0.2.7',
      userAgent: FIREFOX,
      device: { fingerprint: 'phone', cookieHash: null },
      place: VIENNA,
      ...request,
    },
  }
}

const device = (fingerprint: string | null, cookieHash: string | null = null) => ({ fingerprint, cookieHash })
const own = (of: Partial<SeenSession> & { readonly delivery?: 'body' | 'cookie' } = {}) => ({
  delivery: 'body' as const,
  ...seen(of),
})

/** Each signal: what it fires on, what it does not fire on, and what it makes of nobody known. */
const TABLE: Readonly<
  Record<string, { points: number; fires: RiskFacts[]; silent: RiskFacts[]; noHistory: RiskFacts }>
> = {
  NEW_DEVICE: {
    points: 30,
    fires: [
      facts({ history: [seen()], request: { device: device('laptop') } }),
      facts({ history: [seen({ cookieHash: 'aa' })], request: { device: device(null, 'bb') } }),
    ],
    silent: [
      facts({ history: [seen(), seen({ fingerprint: 'laptop' })], request: { device: device('laptop') } }),
      facts({ history: [seen({ cookieHash: 'aa' })], request: { device: device('cleared', 'aa') } }),
      // Nothing is presented, or nothing known to compare with.
      facts({ history: [seen()], request: { device: device(null) } }),
      facts({ history: [seen({ fingerprint: null })], request: { device: device('laptop') } }),
    ],
    noHistory: facts({ request: { device: device('laptop') } }),
  },
  NEW_COUNTRY: {
    points: 25,
    fires: [facts({ history: [seen()], request: { place: TOKYO } })],
    silent: [
      facts({ history: [seen(), seen(TOKYO)], request: { place: TOKYO } }),
      facts({ history: [seen()], request: { place: NOWHERE } }),
      facts({ history: [seen(NOWHERE)], request: { place: TOKYO } }),
    ],
    noHistory: facts({ request: { place: TOKYO } }),
  },
  NEW_CITY: {
    points: 10,
    fires: [
      facts({ history: [seen()], request: { place: { ...VIENNA, city: 'Graz' } } }),
      facts({
        history: [seen({ country: 'FR', city: 'Paris' })],
        request: { place: { ...VIENNA, country: 'US', city: 'Paris' } },
      }),
    ],
    silent: [
      facts({ history: [seen()] }),
      facts({ history: [seen()], request: { place: { ...VIENNA, city: null } } }),
      facts({ history: [seen({ city: null })] }),
    ],
    noHistory: facts(),
  },
  MANY_ACTIVE_SESSIONS: {
    points: 20,
    fires: [facts({ liveSessions: 5 }), facts({ liveSessions: 50 })],
    silent: [facts({ liveSessions: 4 }), facts({ liveSessions: 5, recentMfa: true })],
    noHistory: facts({ liveSessions: 0 }),
  },
  IMPOSSIBLE_TRAVEL: {
    points: 25,
    fires: [
      facts({ at: 'sign-in', history: [seen()], request: { place: TOKYO } }),
      facts({ session: own(), request: { place: TOKYO } }),
      // The newest place counts, in whatever order they come.
      facts({
        at: 'sign-in',
        history: [seen({ ...TOKYO, lastSeenAt: ago(90_000_000) }), seen()],
        request: { place: TOKYO },
      }),
    ],
    silent: [
      facts({ at: 'sign-in', history: [seen({ lastSeenAt: ago(24 * 3_600_000) })], request: { place: TOKYO } }),
      facts({ session: own({ lastSeenAt: ago(1000) }), request: { place: { ...VIENNA, latitude: 48.3 } } }),
      facts({ session: own(NOWHERE), request: { place: TOKYO } }),
      facts({ session: own(), request: { place: NOWHERE } }),
    ],
    noHistory: facts({ request: { place: TOKYO } }),
  },
  DEVICE_MISMATCH: {
    points: 60,
    fires: [
      facts({ session: own(), request: { device: device('laptop') } }),
      facts({ session: own(), request: { device: device(null, 'aa') } }),
      facts({
        session: own({ fingerprint: null, cookieHash: 'aa', delivery: 'cookie' }),
        request: { device: device('phone') },
      }),
    ],
    silent: [
      facts({ session: own() }),
      facts({ session: own({ fingerprint: null, cookieHash: 'aa' }), request: { device: device(null) } }),
      facts({
        session: own({ fingerprint: null, cookieHash: 'aa', delivery: 'cookie' }),
        request: { device: device(null, 'aa') },
      }),
    ],
    noHistory: facts({ request: { device: device(null) } }),
  },
  ADDRESS_CHANGED: {
    points: 10,
    fires: [
      facts({ session: own(), request: { ipAddress: '192.0.3.7' } }),
      facts({ session: own({ ipAddress: '2001:db8:1::1' }), request: { ipAddress: '2001:db8:2::1' } }),
      facts({ session: own(), request: { ipAddress: '2001:db8:2::1' } }),
    ],
    silent: [
      facts({ session: own(), request: { ipAddress: '192.0.2.250' } }),
      facts({ session: own({ ipAddress: '2001:db8:1:1::1' }), request: { ipAddress: '2001:db8:1:2::1' } }),
      facts({ session: own({ ipAddress: null }) }),
      facts({ session: own(), request: { ipAddress: null } }),
    ],
    noHistory: facts(),
  },
  SHARED_LINEAGE: {
    points: 60,
    fires: [facts({ session: own(), sharedGenerations: 5 })],
    silent: [facts({ session: own(), sharedGenerations: 4 })],
    noHistory: facts(),
  },
  USER_AGENT_CHANGED: {
    points: 15,
    fires: [
      facts({ session: own(), request: { userAgent: EDGE } }),
      facts({ session: own(), request: { userAgent: 'curl/8.5.0' } }),
    ],
    silent: [
      facts({ session: own(), request: { userAgent: FIREFOX_LATER } }),
      facts({ session: own({ userAgent: 'curl/8.5.0' }), request: { userAgent: 'curl/8.9.1' } }),
      facts({ session: own(), request: { userAgent: null } }),
    ],
    noHistory: facts({ request: { userAgent: EDGE } }),
  },
  RECENT_FAILURES: {
    points: 15,
    fires: [facts({ recentFailures: 3 })],
    silent: [facts({ recentFailures: 2 })],
    noHistory: facts(),
  },
}

test('the table names every signal that is weighed', () => {
  deepEqual(Object.keys(TABLE).toSorted(), SIGNALS.map(({ name }) => name).toSorted())
})

describe.each(SIGNALS.map((signal) => ({ name: signal.name, signal })))('$name', ({ name, signal }) => {
  const row = TABLE[name]
  if (row === undefined) throw new TypeError(`no row for ${name}`)
  const find = (of: RiskFacts) => signal.find(of)

  test('has its points', () => equal(signal.points, row.points))
  test('fires, and says in what it was seen', () => {
    for (const of of row.fires) equal(Object.keys((find(of) as { evidence: object }).evidence).length > 0, true)
  })
  test('does not fire', () => {
    for (const of of row.silent) equal(find(of), undefined)
  })
  test('is silent without history', () => equal(find(row.noHistory), undefined))
  test('a trusted device suspends it where it is about habit', async () => {
    for (const of of row.fires) {
      const { reasons } = await assess({ ...of, deviceTrusted: true }, { signals: [signal], weights: {} })
      equal(reasons.length, signal.soft ? 0 : 1)
    }
  })
})

describe(RAPID_TOKEN_CREATION, () => {
  test.each([
    [0, false],
    [3, false],
    [4, true],
  ])('with %i young sessions: %s', (youngSessions, stops) => {
    equal(rapidTokenCreation(facts({ youngSessions })) !== undefined, stops)
    // The hard stop knows no trust.
    equal(rapidTokenCreation(facts({ youngSessions, deviceTrusted: true, recentMfa: true })) !== undefined, stops)
  })
  test('0 turns it off', () => {
    equal(rapidTokenCreation(facts({ youngSessions: 9, thresholds: { ...thresholds, rapidSessions: 0 } })), undefined)
  })
})

describe('the score', () => {
  const of = (points: number, name = `S${points}`): Signal => ({
    name,
    points,
    soft: false,
    find: () => ({ evidence: {} }),
  })

  test.each([
    [0, 'pass'],
    [59, 'pass'],
    [60, 'step-up'],
    [89, 'step-up'],
    [90, 'block'],
    [100, 'block'],
  ] as const)('%i: %s', (score, decision) => {
    equal(decide(score, resolveRisk()), decision)
  })

  test('is the sum of the reasons that it tells, capped at 100', async () => {
    const two = await assess(facts(), { signals: [of(40), of(19)], weights: {} })
    deepEqual(
      [two.score, two.reasons.map(({ signal, points }) => [signal, points])],
      [
        59,
        [
          ['S40', 40],
          ['S19', 19],
        ],
      ],
    )
    equal((await assess(facts(), { signals: [of(70), of(50)], weights: {} })).score, 100)
  })

  test('weights are settings, and 0 asks no signal', async () => {
    const { score, reasons } = await assess(facts(), { signals: [of(40), of(19)], weights: { S40: 0, S19: 30 } })
    deepEqual([score, reasons.length], [30, 1])
  })

  test('of NEW_DEVICE and DEVICE_MISMATCH only the larger counts', async () => {
    const stolen = facts({ history: [seen()], session: own(), request: { device: device('laptop') } })
    const plain = await assess(stolen, { signals: SIGNALS, weights: {} })
    deepEqual([plain.score, plain.reasons.map(({ signal }) => signal)], [60, ['DEVICE_MISMATCH']])
    const turned = await assess(stolen, { signals: SIGNALS, weights: { NEW_DEVICE: 80 } })
    deepEqual([turned.score, turned.reasons.map(({ signal }) => signal)], [80, ['NEW_DEVICE']])
  })

  test('a host’s signal that fails, or answers nonsense, lets nothing pass', async () => {
    const failing: Signal = { ...of(10), find: () => Promise.reject(new Error('away')) }
    await rejects(assess(facts(), { signals: [failing], weights: {} }))
    const odd: Signal = { ...of(10), find: () => ({ points: Number.NaN, evidence: {} }) }
    await rejects(assess(facts(), { signals: [odd], weights: {} }))
  })
})

test('distances are those of the great circle', () => {
  equal(Math.round(distanceKm(VIENNA, TOKYO) / 10), 913)
  equal(Math.round(distanceKm({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 })), 20_015)
  equal(Math.round(distanceKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })), 111)
  equal(distanceKm(VIENNA, VIENNA), 0)
})
