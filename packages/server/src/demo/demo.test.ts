import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { type Sallyport, sallyport } from 'sallyport'
import { pglite } from 'sallyport/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoLines } from './describe.ts'
import { type FoundDemo, seedDemo } from './seed.ts'
import { totpCode } from './totp.ts'

const SECRET = 'q9c0JzX3nT5vKxq1mW7rY2bH8dLpE4sUaGfZ6oVtN0A'
const DAY = 86_400_000
const log = pino({ level: 'silent' })

interface Place {
  readonly dataDir: string
  readonly guard: Sallyport
  readonly clock: { offsetMs: number }
  readonly config: Parameters<typeof seedDemo>[0]['config']
}

let place: Place

/** A database of its own for the tests of one demo. */
function somewhere(): void {
  beforeAll(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
    const clock = { offsetMs: 0 }
    const config = { production: false, dataDir, issuer: 'http://localhost:8080', secrets: [SECRET], engine: {} }
    const guard = sallyport({ store: await pglite({ clock }), issuer: config.issuer, secrets: [SECRET] })
    place = { dataDir, guard, clock, config }
  })
  afterAll(async () => {
    await place.guard.close()
    rmSync(place.dataDir, { recursive: true, force: true })
  })
}

const seed = (until?: Date): Promise<FoundDemo> => {
  const { config, guard, clock } = place
  return seedDemo({ config, store: guard.store, clock, log, ...(until && { until }) })
}

async function call(path: string, { body, token }: { body?: unknown; token?: string } = {}) {
  const response = await place.guard.handler(
    new Request(`http://localhost:8080/api${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    { remoteAddress: '127.0.0.1' },
  )
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects and fails where it is not there
  return { status: response.status, body: (await response.json()) as any }
}

async function signIn({ email, password, totpSecret }: FoundDemo['people'][number]): Promise<string> {
  let answer = await call('/auth/login', { body: { email, password } })
  if (answer.status === 428 && totpSecret !== undefined) {
    const code = totpCode(totpSecret, new Date())
    answer = await call('/auth/login/step-up', { body: { stepUpToken: answer.body.stepUpToken, factor: 'totp', code } })
  }
  expect([email, answer.status, answer.body.error]).toEqual([email, 200, undefined])
  return answer.body.accessToken
}

/** What the checklist says once the scheduler has caught up, as it does soon after the start. */
async function failing(token: string): Promise<unknown> {
  await place.guard.jobs.run('cleanup')
  return (await call('/compliance/checklist', { token })).body.controls
    .filter(({ verdict }: { verdict: string }) => verdict === 'fail')
    .map(({ id, evidence }: { id: string; evidence: unknown }) => [id, evidence])
}

const shown = (demo: FoundDemo, role: string) => {
  const person = demo.people.find((one) => one.role === role)
  if (person === undefined) throw new Error(`nobody is ${role}`)
  return person
}

describe('made now', () => {
  somewhere()

  test('three weeks of a team, in a log that is sealed and verifies, and a system that goes on from there', async () => {
    const demo = await seed()
    expect(place.clock.offsetMs).toBe(0)
    await place.guard.start()
    const verdicts = await place.guard.audit.verify()
    expect(verdicts.map(({ finding }) => finding)).toEqual(verdicts.map(() => undefined))

    const token = await signIn(shown(demo, 'owner'))
    for (const role of ['admin', 'auditor', 'member']) await signIn(shown(demo, role))

    const { members, invitations } = (await call('/team', { token })).body
    expect(members.map(({ role }: { role: string }) => role).sort()).toEqual([
      'admin',
      'admin',
      'auditor',
      'member',
      'member',
      'member',
      'member',
      'member',
      'owner',
    ])
    expect(members.some(({ status }: { status: string }) => status === 'disabled')).toBe(true)
    expect(invitations.map(({ name }: { name: string }) => name).sort()).toEqual(['Ben Board', 'Tess Trial'])

    const overview = (await call(`/security/overview?from=${new Date(Date.now() - 30 * DAY).toISOString()}`, { token }))
      .body
    expect(overview.totals.signIns).toBeGreaterThan(20)
    expect(overview.totals).toMatchObject({ blocked: 1, reuse: 1 })
    expect(overview.totals.failed).toBeGreaterThan(5)
    expect(overview.places.length).toBeGreaterThan(6)
    expect(overview.live.sessions).toBeGreaterThan(5)
    const reasons = overview.risk.map(({ reason }: { reason: string }) => reason)
    expect(reasons).toEqual(
      expect.arrayContaining(['NEW_DEVICE', 'NEW_COUNTRY', 'IMPOSSIBLE_TRAVEL', 'USER_AGENT_CHANGED']),
    )

    const theft = overview.alerts.find(({ reason }: { reason: string }) => reason === 'reuse_detected')
    const file = (await call(`/security/incidents/${theft.id}`, { token })).body
    const [wentOn, cameBack] = file.branches
    expect([wentOn.kind, wentOn.city, cameBack.kind, cameBack.city]).toEqual(['other', 'Newark', 'owner', 'New York'])
    expect(wentOn.actions.length).toBeGreaterThan(3)

    const rules = (await call('/security/ip-rules', { token })).body.rules
    expect(
      rules.map(({ type, expiresAt }: { type: string; expiresAt: string | null }) => [
        type,
        expiresAt !== null && new Date(expiresAt) < new Date(),
      ]),
    ).toEqual([
      ['DENY', false],
      ['ALLOW', true],
    ])
    const register = (await call('/security/impersonations', { token })).body.impersonations
    expect(register.map(({ ended }: { ended: string }) => ended)).toEqual(['logout', 'exit'])
    const meanwhile = await call(register[1].events.replace('/api', ''), { token })
    expect(meanwhile.body.events.map(({ action }: { action: string }) => action)).toContain('PLAN_CHANGED')

    // What the story left is of its own time: no row of it, and no seal, says that it was written just now.
    const { events } = (await call('/audit/events?limit=100&action=USER_JOINED', { token })).body
    for (const { createdAt, seal } of events) {
      expect(Date.now() - new Date(createdAt).getTime()).toBeGreaterThan(20 * DAY)
      expect(new Date(seal.recordedAt).getTime() - new Date(createdAt).getTime()).toBeLessThan(2 * DAY)
    }
    expect(await failing(token)).toEqual([])
  }, 120_000)

  test('there is one demo: the same at every start, and nothing is written to find it', async () => {
    const demo = await seed()
    const { guard, clock, dataDir } = place
    const file = join(dataDir, 'demo.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const kept = readFileSync(file, 'utf8')
    const size = async () => (await guard.store.ledger.head(demo.tenantId))?.size
    const before = await size()
    expect(await seed()).toEqual(demo)
    expect(readFileSync(file, 'utf8')).toBe(kept)
    expect([await size(), clock.offsetMs]).toEqual([before, 0])

    // Somebody sets another password: what the file says is no longer told as theirs.
    const { email } = shown(demo, 'member')
    const account = await guard.store.directory.account({ email })
    const { user, passwordHash } = account ?? {}
    await guard.store.directory.rehash({ userId: user?.id ?? ('' as never), from: passwordHash ?? '', to: 'another' })
    const again = await seed()
    expect(again.changed).toEqual([email])
    expect(demoLines(again, 'http://localhost:8080').join('\n')).not.toContain(shown(demo, 'member').password)
  }, 120_000)

  test('a demo has no place in production, nor where the clock cannot be moved', async () => {
    const { config, guard, clock } = place
    const production = { ...config, production: true }
    await expect(seedDemo({ config: production, store: guard.store, clock, log })).rejects.toThrow(
      'no place in production',
    )
    await expect(seedDemo({ config, store: guard.store, clock: undefined, log })).rejects.toThrow(
      'no place in production',
    )
  })
})

/** Of the two days of a weekend the one that is not today: its afternoon is less than a week ago. */
const WEEKEND_DAY = new Date().getUTCDay() === 6 ? 0 : 6

describe.each([
  ['just after midnight, on a Monday', 1, 0],
  ['on an afternoon of a weekend', WEEKEND_DAY, 16],
] as const)('made %s', (_, weekday, hour) => {
  somewhere()

  test('the story holds together, and is right when it has aged some days', async () => {
    const until = new Date()
    until.setUTCHours(hour, 15, 0, 0)
    until.setUTCDate(until.getUTCDate() - ((until.getUTCDay() - weekday + 7) % 7))
    // A whole week on, a session of its first day would be over by the clock of this process, which the story cannot move.
    if (until > new Date()) until.setUTCDate(until.getUTCDate() - 7)
    const demo = await seed(until)
    const { guard } = place
    await guard.start()
    expect((await guard.audit.verify()).every(({ finding }) => finding === undefined)).toBe(true)
    const token = await signIn(shown(demo, 'admin'))
    const overview = await call('/security/overview', { token })
    expect(overview.status).toBe(200)
    const { active } = overview.body.sessions.at(-1)
    expect(active).toBe(overview.body.live.sessions)
    expect(await failing(token)).toEqual([])
  }, 120_000)
})
