/**
 * Whole lives of sessions, made up at random and compared, step by step, with a small model of the rules.
 *
 * `SALLYPORT_MODEL_RUNS` sets how many sequences are run (200 by default, 10,000 in the long run), `SALLYPORT_MODEL_SEED`
 * repeats a run.
 *
 * @module
 */

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OTHER_PASSWORD, PASSWORD } from '../support/directory-bench.ts'
import type { InProcess, Sent } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

const RUNS = Number(process.env['SALLYPORT_MODEL_RUNS'] ?? 200)
// The everyday run repeats itself, so that a red build tells of its change; the long run draws a seed of its own.
const DRAWN = process.env['SALLYPORT_MODEL_RUNS'] === undefined ? 20_261_121 : Math.floor(Math.random() * 0x7fffffff)
const SEED = Number(process.env['SALLYPORT_MODEL_SEED'] ?? DRAWN)

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const OVERLAP = 10 * SECOND
const UNBOUND_WINDOW = 30 * SECOND
const REFRESH_TTL = 2 * DAY
const IDLE = DAY
const SESSION_LIFE = 5 * DAY
const STEP_UP_WINDOW = 10 * MINUTE

interface Token {
  readonly raw: string
  readonly issuedAt: number
  consumedAt?: number
  /** Whether it, or an access token of its generation, was seen. */
  confirmed: boolean
}
interface Session {
  readonly id: string
  readonly owner: Person
  readonly startedAt: number
  lastSeen: number
  /** What the session's access tokens must say, as long as it is the person's version. */
  version: number
  ended: boolean
  familyEnded: boolean
  readonly tokens: Token[]
  readonly passed: Map<string, number>
}
interface Access {
  readonly raw: string
  readonly session: Session
  readonly generation: number
  readonly version: number
}
interface Person {
  readonly role: 'owner' | 'member'
  readonly email: string
  readonly userId: string
  password: string
  version: number
  readonly sessions: Session[]
  readonly access: Access[]
  readonly recoveryCodes: string[]
}

type Code = string
const newest = (session: Session): Token => session.tokens.at(-1) as Token

/** The rules, as a reader of the specification would put them. Each says what is answered, and does what follows. */
class Rules {
  readonly people: Person[]
  readonly #now: () => number

  constructor(people: Person[], now: () => number) {
    this.people = people
    this.#now = now
  }

  /** Why an access token is refused; nothing where it is let in, which is then an activity. */
  authenticate({ session, generation, version }: Access, background = false): Code | undefined {
    const now = this.#now()
    if (version !== session.owner.version) return 'SESSION_INVALIDATED'
    if (session.ended) return 'SESSION_REVOKED'
    if (session.startedAt + SESSION_LIFE <= now || session.lastSeen + IDLE <= now) return 'SESSION_EXPIRED'
    if (!background) session.lastSeen = now
    const token = session.tokens[generation]
    if (token !== undefined) token.confirmed = true
    return undefined
  }

  /** The state machine of a presented refresh token. */
  refresh(session: Session, generation: number): Code {
    const now = this.#now()
    const token = session.tokens[generation] as Token
    if (session.familyEnded) return 'REFRESH_TOKEN_REVOKED'
    if (token.consumedAt !== undefined) {
      const age = now - token.consumedAt
      const successor = session.tokens[generation + 1] as Token
      const canBeRepeated = successor === newest(session)
      if (canBeRepeated && ((!successor.confirmed && age <= UNBOUND_WINDOW) || age <= OVERLAP)) {
        return this.#sessionOver(session) ?? this.#seen(session, 'replayed')
      }
      if (generation < session.tokens.length - 2 && age <= OVERLAP) return 'RETRY'
      this.#endAll(session.owner)
      return 'REFRESH_TOKEN_REUSED'
    }
    if (token.issuedAt + REFRESH_TTL <= now) {
      this.end(session)
      return 'REFRESH_TOKEN_EXPIRED'
    }
    const over = this.#sessionOver(session)
    if (over !== undefined) return over
    token.consumedAt = now
    token.confirmed = true
    return this.#seen(session, 'rotated')
  }

  #sessionOver(session: Session): Code | undefined {
    const now = this.#now()
    let code: Code | undefined
    if (session.startedAt + SESSION_LIFE <= now) code = 'SESSION_EXPIRED'
    else if (session.version !== session.owner.version) code = 'SESSION_INVALIDATED'
    else if (session.ended) code = 'SESSION_REVOKED'
    else if (session.lastSeen + IDLE <= now) code = 'SESSION_EXPIRED'
    if (code !== undefined) this.end(session)
    return code
  }

  #seen(session: Session, outcome: Code): Code {
    session.lastSeen = this.#now()
    return outcome
  }

  end(session: Session): void {
    session.ended = true
    session.familyEnded = true
  }

  /** Ends what a person has, but for one session, and lets no access token of before live. Resolves to how many were live. */
  #endAll(person: Person, except?: Session): number {
    person.version++
    if (except !== undefined) except.version = person.version
    return this.#endOthers(person, except)
  }

  #endOthers(person: Person, except?: Session): number {
    const others = person.sessions.filter((session) => session !== except)
    const live = others.filter(({ ended }) => !ended).length
    for (const session of others) this.end(session)
    return live
  }

  /** What a guarded request is refused with, in the order of the guards. */
  #guarded(access: Access, purpose: string, allowed: boolean): Code | undefined {
    const refused = this.authenticate(access)
    if (refused !== undefined) return refused
    if (!allowed) return 'FORBIDDEN'
    const passedAt = access.session.passed.get(purpose)
    return passedAt !== undefined && passedAt + STEP_UP_WINDOW > this.#now() ? undefined : 'STEP_UP_REQUIRED'
  }

  stepUp(access: Access, purpose: string): Code | undefined {
    const refused = this.authenticate(access)
    if (refused !== undefined) return refused
    access.session.passed.set(purpose, this.#now())
    // What raises a session confirms where it stands, so that no older token inherits it.
    newest(access.session).confirmed = true
    return undefined
  }

  revoke(access: Access, target: Session): Code | undefined {
    const refused = this.#guarded(access, 'revoke_session', true)
    if (refused !== undefined) return refused
    if (target.owner !== access.session.owner && access.session.owner.role !== 'owner') return 'FORBIDDEN'
    this.end(target)
    return undefined
  }

  revokeOthers(access: Access): Code | number {
    const { session } = access
    return this.#guarded(access, 'revoke_other_sessions', true) ?? this.#endOthers(session.owner, session)
  }

  forceLogout(access: Access, target: Person): Code | number {
    return this.#guarded(access, 'force_logout', access.session.owner.role === 'owner') ?? this.#endAll(target)
  }

  changePassword(access: Access, password: string): Code | undefined {
    const { session } = access
    const refused = this.#guarded(access, 'security_settings', true)
    if (refused !== undefined) return refused
    this.#endAll(session.owner, session)
    session.owner.password = password
    return undefined
  }

  logout(access: Access | undefined, session: Session | undefined): void {
    if (access !== undefined && this.authenticate(access, true) === undefined) this.end(access.session)
    if (session !== undefined && !session.familyEnded) this.end(session)
  }

  listed(person: Person, state: 'active' | 'ended' | 'all'): string[] {
    const now = this.#now()
    const isActive = ({ ended, startedAt, lastSeen }: Session): boolean =>
      !ended && startedAt + SESSION_LIFE > now && lastSeen + IDLE > now
    return person.sessions
      .filter((one) => state === 'all' || isActive(one) === (state === 'active'))
      .map(({ id }) => id)
  }
}

let api: InProcess
let made = 0
/** How often each thing was answered, to show that the sequences go everywhere. */
const answered = new Map<string, number>()

beforeAll(async () => {
  console.log(`model: seed ${SEED}, ${RUNS} sequences`)
  api = await openInProcess({
    refreshToken: { ttl: REFRESH_TTL, maxSessionLife: SESSION_LIFE },
    session: { idle: IDLE },
    stepUp: { window: STEP_UP_WINDOW },
    retry: { overlap: OVERLAP, unboundWindow: UNBOUND_WINDOW },
    risk: { mode: 'off' },
  })
})
afterAll(() => api?.close())

/** The system under test: the API, and the clock of its database. */
class Real {
  readonly rules: Rules
  constructor(rules: Rules) {
    this.rules = rules
  }

  /** Sends a request at a moment that no rule is in doubt about, and lets what is written later be written. */
  async send(method: string, path: string, options: Parameters<InProcess['send']>[2] = {}): Promise<Sent> {
    const answer = await api.send(method, path, options)
    await api.engine.writeBehind.flush()
    return answer
  }

  /** Steps over the edges: the answer is not to depend on how long it takes. */
  async settle(): Promise<void> {
    for (;;) {
      const now = api.now()
      const step = this.#edges().find(({ at, doubt }) => Math.abs(now - at) < doubt)
      if (step === undefined) return
      await api.advance(2 * step.doubt)
    }
  }

  #edges(): { readonly at: number; readonly doubt: number }[] {
    const sessions = this.rules.people.flatMap((person) => person.sessions)
    return sessions.flatMap(({ startedAt, lastSeen, tokens, passed }) => [
      // The database is told of activity every two minutes.
      { at: lastSeen + IDLE, doubt: 4 * MINUTE },
      { at: startedAt + SESSION_LIFE, doubt: 2 * SECOND },
      ...[...passed.values()].map((at) => ({ at: at + STEP_UP_WINDOW, doubt: 2 * SECOND })),
      ...tokens.flatMap(({ consumedAt, issuedAt }) => [
        { at: issuedAt + REFRESH_TTL, doubt: 2 * SECOND },
        ...(consumedAt === undefined
          ? []
          : [
              { at: consumedAt + OVERLAP, doubt: 2 * SECOND },
              { at: consumedAt + UNBOUND_WINDOW, doubt: 2 * SECOND },
            ]),
      ]),
    ])
  }
}

type Command = fc.AsyncCommand<Rules, Real>

/** A number that a command picks with, among however many there are when it runs. */
const pickFrom = <T>(list: readonly T[], pick: number): T => list[pick % list.length] as T
const sessionsOf = ({ people }: Rules): Session[] => people.flatMap((person) => person.sessions)
const accessOf = ({ people }: Rules): Access[] => people.flatMap((person) => person.access)
/** The newest access tokens more often than the old ones. */
const someAccess = (rules: Rules, pick: number): Access => {
  const all = accessOf(rules)
  const live = all.filter(({ session }) => !session.ended)
  return pick % 5 > 0 && live.length > 0 ? pickFrom(live.toReversed(), pick >> 3) : pickFrom(all, pick >> 3)
}

function command(
  name: string,
  run: (rules: Rules, real: Real) => Promise<string | undefined>,
  check: (rules: Rules) => boolean = () => true,
): Command {
  let told = ''
  return {
    check,
    async run(rules, real) {
      await real.settle()
      told = (await run(rules, real)) ?? ''
      const what = `${name.replace(/ \d.*| for .*/, '')} ${told.replace(/^\d+$/, 'done')}`.trim()
      answered.set(what, (answered.get(what) ?? 0) + 1)
    },
    toString: () => `${name}${told === '' ? '' : ` → ${told}`}`,
  }
}

const codeOf = ({ status, body }: Sent): Code | undefined => (status < 300 ? undefined : body.error)

function admit(person: Person, body: Sent['body'], at: number): Session {
  const session: Session = {
    id: body.session.id,
    owner: person,
    startedAt: at,
    lastSeen: at,
    version: person.version,
    ended: false,
    familyEnded: false,
    tokens: [{ raw: body.refreshToken, issuedAt: at, confirmed: false }],
    passed: new Map(),
  }
  person.sessions.push(session)
  person.access.push({ raw: body.accessToken, session, generation: 0, version: person.version })
  return session
}

const number = fc.nat(0xffff)

const login = (pick: number): Command =>
  command(
    'login',
    async (rules, real) => {
      const person = pickFrom(rules.people, pick)
      const at = api.now()
      const { email, password } = person
      const answer = await real.send('POST', '/api/auth/login', { body: { email, password } })
      expect(answer.status, answer.text).toBe(200)
      admit(person, answer.body, at)
      return person.role
    },
    ({ people }) => people.every(({ sessions }) => sessions.filter(({ ended }) => !ended).length < 5),
  )

const loginWrongly = (pick: number): Command =>
  command('login with the password from before', async (rules, real) => {
    const { email, password } = pickFrom(rules.people, pick)
    const wrong = password === PASSWORD ? OTHER_PASSWORD : PASSWORD
    const answer = await real.send('POST', '/api/auth/login', { body: { email, password: wrong } })
    expect(codeOf(answer)).toBe('INVALID_CREDENTIALS')
    return undefined
  })

/** Back: 0 is the newest token, 1 its parent, and so on. */
const refresh = (pick: number, back: number): Command =>
  command(`refresh with the token ${back} back`, async (rules, real) => {
    const sessions = sessionsOf(rules)
    const live = sessions.filter(({ ended }) => !ended)
    const session = pick % 5 > 0 && live.length > 0 ? pickFrom(live, pick) : pickFrom(sessions, pick)
    const generation = Math.max(0, session.tokens.length - 1 - back)
    const at = api.now()
    const expected = rules.refresh(session, generation)
    const answer = await real.send('POST', '/api/auth/refresh', {
      body: { refreshToken: session.tokens[generation]?.raw },
    })
    const outcome = answer.headers.get('sallyport-refresh')?.replace(/;.*/, '') ?? codeOf(answer)
    expect(outcome, answer.text).toBe(expected)
    if (expected === 'rotated') {
      session.tokens.push({ raw: answer.body.refreshToken, issuedAt: at, confirmed: false })
    }
    if (expected === 'replayed') {
      expect(answer.body.refreshToken, 'the same successor').toBe(newest(session).raw)
    }
    if (answer.status === 200) {
      expect(answer.body.session.id, 'a refresh keeps the session').toBe(session.id)
      const { version, owner } = session
      owner.access.push({ raw: answer.body.accessToken, session, generation: session.tokens.length - 1, version })
    }
    return expected
  })

const refreshWithForged = (pick: number, at: number): Command =>
  command('refresh with a token changed in one place', async (rules, real) => {
    const { raw } = newest(pickFrom(sessionsOf(rules), pick))
    const place = 5 + (at % (raw.length - 5))
    const refreshToken = `${raw.slice(0, place)}${raw[place] === 'A' ? 'B' : 'A'}${raw.slice(place + 1)}`
    const answer = await real.send('POST', '/api/auth/refresh', { body: { refreshToken } })
    expect(codeOf(answer)).toBe('REFRESH_TOKEN_INVALID')
    return undefined
  })

const me = (pick: number): Command =>
  command('me', async (rules, real) => {
    const access = someAccess(rules, pick)
    const expected = rules.authenticate(access)
    const answer = await real.send('GET', '/api/auth/me', { token: access.raw })
    expect(codeOf(answer), answer.text).toBe(expected)
    if (expected === undefined) expect(answer.body.session.id).toBe(access.session.id)
    return expected ?? 'let in'
  })

const list = (pick: number, state: 'active' | 'ended' | 'all'): Command =>
  command(`list ${state}`, async (rules, real) => {
    const access = someAccess(rules, pick)
    const expected = rules.authenticate(access)
    const answer = await real.send('GET', `/api/security/sessions?state=${state}&limit=100`, { token: access.raw })
    expect(codeOf(answer), answer.text).toBe(expected)
    if (expected !== undefined) return expected
    const sessions = answer.body.sessions as { id: string; isCurrent: boolean }[]
    expect(sessions.map(({ id }) => id).sort()).toEqual(rules.listed(access.session.owner, state).sort())
    for (const { id, isCurrent } of sessions) expect(isCurrent).toBe(id === access.session.id)
    return `${sessions.length}`
  })

const PURPOSES = ['revoke_session', 'revoke_other_sessions', 'force_logout', 'security_settings'] as const

/** Gives a recovery code for a purpose. */
async function giveCode(rules: Rules, real: Real, access: Access, purpose: string): Promise<string> {
  const { recoveryCodes } = access.session.owner
  const expected = rules.stepUp(access, purpose)
  const body = { purpose, factor: 'recovery_code', code: recoveryCodes.at(-1) }
  const answer = await real.send('POST', '/api/security/step-up/verify', { body, token: access.raw })
  expect(codeOf(answer), answer.text).toBe(expected)
  if (expected === undefined) recoveryCodes.pop()
  return expected ?? 'passed'
}

const stepUp = (pick: number, purpose: (typeof PURPOSES)[number]): Command =>
  command(
    `step up for ${purpose}`,
    async (rules, real) => {
      const [owner] = rules.people as [Person]
      return giveCode(rules, real, pickFrom(owner.access.toReversed(), pick), purpose)
    },
    ({ people }) => (people[0]?.recoveryCodes.length ?? 0) > 0,
  )

/** Who does something that is guarded: half of the time somebody who just gave a code for it. */
async function guarded(rules: Rules, real: Real, pick: number, purpose: string): Promise<Access> {
  const access = someAccess(rules, pick)
  const { recoveryCodes } = access.session.owner
  const current = access.version === access.session.owner.version && !access.session.ended
  if (pick % 3 > 0 && current && recoveryCodes.length > 0) await giveCode(rules, real, access, purpose)
  return access
}

const revoke = (pick: number, target: number): Command =>
  command('revoke one', async (rules, real) => {
    const access = await guarded(rules, real, pick, 'revoke_session')
    const session = pickFrom(sessionsOf(rules), target)
    const expected = rules.revoke(access, session)
    const answer = await real.send('POST', `/api/security/sessions/${session.id}/revoke`, { token: access.raw })
    expect(codeOf(answer), answer.text).toBe(expected)
    if (expected === undefined) expect(answer.body.currentRevoked).toBe(session === access.session)
    return expected ?? 'revoked'
  })

const revokeOthers = (pick: number): Command =>
  command('revoke others', async (rules, real) => {
    const access = await guarded(rules, real, pick, 'revoke_other_sessions')
    const expected = rules.revokeOthers(access)
    const answer = await real.send('POST', '/api/security/sessions/revoke-others', { token: access.raw })
    expect(codeOf(answer) ?? answer.body.revoked, answer.text).toBe(expected)
    return `${expected}`
  })

const forceLogout = (pick: number, whom: number): Command =>
  command('force logout', async (rules, real) => {
    const access = await guarded(rules, real, pick, 'force_logout')
    const target = pickFrom(rules.people, whom)
    const expected = rules.forceLogout(access, target)
    const answer = await real.send('POST', `/api/security/force-logout/${target.userId}`, { token: access.raw })
    expect(codeOf(answer) ?? answer.body.sessionsEnded, answer.text).toBe(expected)
    if (typeof expected === 'number') expect(answer.body.sessionVersion).toBe(target.version)
    return `${expected}`
  })

const changePassword = (pick: number): Command =>
  command('change the password', async (rules, real) => {
    const access = await guarded(rules, real, pick, 'security_settings')
    const { session, generation } = access
    const person = session.owner
    const newPassword = person.password === PASSWORD ? OTHER_PASSWORD : PASSWORD
    const body = { currentPassword: person.password, newPassword }
    const expected = rules.changePassword(access, newPassword)
    const answer = await real.send('POST', '/api/auth/password', { body, token: access.raw })
    expect(codeOf(answer), answer.text).toBe(expected)
    if (expected !== undefined) return expected
    person.access.push({ raw: answer.body.accessToken, session, generation, version: person.version })
    return 'changed'
  })

const logout = (pick: number, credential: 'access' | 'refresh' | 'both', back: number): Command =>
  command(`logout by ${credential}`, async (rules, real) => {
    const access = credential === 'refresh' ? undefined : someAccess(rules, pick)
    const session = credential === 'access' ? undefined : pickFrom(sessionsOf(rules), pick + back)
    const refreshToken = session?.tokens[Math.max(0, session.tokens.length - 1 - back)]?.raw
    rules.logout(access, session)
    const answer = await real.send('POST', '/api/auth/logout', {
      body: refreshToken === undefined ? {} : { refreshToken },
      token: access?.raw,
    })
    expect([answer.status, answer.body]).toEqual([200, { ok: true }])
    return undefined
  })

const wait = (ms: number): Command =>
  command(`wait ${ms / SECOND} s`, async () => {
    await api.advance(ms)
    return undefined
  })

const commands = fc.commands(
  [
    number.map(login),
    number.map(loginWrongly),
    // Mostly as clients do; now and then as those who got hold of an old one.
    number.map((pick) => refresh(pick, 0)),
    number.map((pick) => refresh(pick, 0)),
    number.map((pick) => refresh(pick, 1)),
    number.map((pick) => refresh(pick, 2)),
    fc.tuple(number, fc.constantFrom(0, 0, 1, 1, 2, 3)).map(([pick, back]) => refresh(pick, back)),
    fc.tuple(number, number).map(([pick, at]) => refreshWithForged(pick, at)),
    number.map(me),
    fc.tuple(number, fc.constantFrom('active', 'ended', 'all')).map(([pick, state]) => list(pick, state as 'all')),
    fc.tuple(number, fc.constantFrom(...PURPOSES)).map(([pick, purpose]) => stepUp(pick, purpose)),
    fc.tuple(number, number).map(([pick, target]) => revoke(pick, target)),
    number.map(revokeOthers),
    fc.tuple(number, number).map(([pick, whom]) => forceLogout(pick, whom)),
    number.map(changePassword),
    fc
      .tuple(number, fc.constantFrom('access', 'refresh', 'both'), fc.nat(2))
      .map(([pick, credential, back]) => logout(pick, credential as 'both', back)),
    fc.constantFrom(SECOND, 4 * SECOND, 7 * SECOND, 15 * SECOND, 45 * SECOND).map(wait),
    fc.constantFrom(MINUTE, 8 * MINUTE, HOUR, 9 * HOUR, 20 * HOUR, 26 * HOUR, 50 * HOUR).map(wait),
  ],
  { maxCommands: 40, size: 'max' },
)

/** A tenant with an owner, who has a second factor, and a member, who has none. */
async function begin(): Promise<{ model: Rules; real: Real }> {
  api.clock.offsetMs = 0
  await api.engine.live.poll()
  const run = ++made
  const at = api.now()
  const owner = await api.signUp({ email: `owner-${run}@model.example.com` })
  const { recoveryCodes } = await api.enrol(owner)
  const member = await api.join(owner, 'member')
  await api.engine.writeBehind.flush()
  const people = [owner, member].map((one, index): Person => {
    const person: Person = {
      role: index === 0 ? 'owner' : 'member',
      email: one.email,
      userId: one.userId,
      password: PASSWORD,
      version: 1,
      sessions: [],
      access: [],
      recoveryCodes: index === 0 ? recoveryCodes : [],
    }
    const { sessionId: id, accessToken, refreshToken } = one
    const session = admit(person, { session: { id }, accessToken, refreshToken }, at)
    // The owner has shown an access token already, to enrol and to invite.
    if (index === 0) newest(session).confirmed = true
    return person
  })
  const rules = new Rules(people, () => api.now())
  return { model: rules, real: new Real(rules) }
}

test(
  `${RUNS} sequences do as the model says`,
  async () => {
    await fc.assert(
      fc.asyncProperty(commands, (sequence) => fc.asyncModelRun(begin, sequence)),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['SALLYPORT_MODEL_SHRINK'] === undefined },
    )
    console.log(
      [...answered]
        .map(([what, times]) => `${what}: ${times}`)
        .sort()
        .join(', '),
    )
    // Else the sequences would be too tame to say anything.
    for (const what of [
      'rotated',
      'replayed',
      'RETRY',
      'REFRESH_TOKEN_REUSED',
      'REFRESH_TOKEN_REVOKED',
      'REFRESH_TOKEN_EXPIRED',
    ]) {
      expect(answered.get(`refresh with the token ${what}`) ?? 0, what).toBeGreaterThan(RUNS / 50)
    }
    for (const what of [
      'revoke one revoked',
      'revoke others done',
      'force logout done',
      'change the password changed',
    ]) {
      expect(answered.get(what) ?? 0, what).toBeGreaterThan(RUNS / 50)
    }
  },
  60_000 + RUNS * 3000,
)
