/**
 * Somebody of the demo's team: what they are signed in with, and how they sign in, step up and go on.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { CommandError } from '../cli/report.ts'
import type { Character, Device } from './cast.ts'
import { totpCode } from './totp.ts'
import type { Answer, Body, World } from './world.ts'

const TOTP_STEP_MS = 30_000

interface Tokens {
  accessToken: string
  refreshToken: string
  readonly sessionId: string
}

/** One player. It remembers what a real person's devices would. */
export class Player {
  readonly character: Character
  readonly email: string
  password: string
  totpSecret: string | undefined
  userId = ''
  staffId = ''
  tenantId = ''
  recoveryCodes: readonly string[] = []
  readonly #world: World
  readonly #sessions = new Map<Device, Tokens>()
  #lastStep = 0

  constructor(
    world: World,
    character: Character,
    { email, password }: { readonly email: string; readonly password: string },
  ) {
    this.#world = world
    this.character = character
    this.email = email
    this.password = password
  }

  get desk(): Device {
    return this.character.devices[0]
  }

  get phone(): Device | undefined {
    return this.character.devices[1]
  }

  isSignedIn(device: Device = this.desk): boolean {
    return this.#sessions.has(device)
  }

  tokens(device: Device = this.desk): Readonly<Tokens> {
    const tokens = this.#sessions.get(device)
    if (tokens === undefined) throw new CommandError(`the demo could not be made: ${this.email} is not signed in`)
    return tokens
  }

  /** Takes over what a sign-up, an accepted invitation or a sign-in answered. */
  begin(device: Device, answer: Body): void {
    const { user, staff, tenant, session } = answer as Record<
      'user' | 'staff' | 'tenant' | 'session',
      { readonly id: string }
    >
    this.userId = user.id
    this.staffId = staff.id
    this.tenantId = tenant.id
    this.#sessions.set(device, {
      accessToken: String(answer['accessToken']),
      refreshToken: String(answer['refreshToken']),
      sessionId: session.id,
    })
  }

  /** Somebody else ended it: the device learns so at its next call. */
  forget(device: Device = this.desk): void {
    this.#sessions.delete(device)
  }

  forgetAll(): void {
    this.#sessions.clear()
  }

  /** Signs in, with a second factor where it is asked for. */
  async signIn(device: Device = this.desk): Promise<void> {
    const { email, password } = this
    const body = { email, password, ...shown(device) }
    const asked = await this.#world.call({ from: device, path: '/auth/login', body })
    if (asked.status === 200) return this.begin(device, asked.body)
    if (asked.status !== 428) throw unexpected('/auth/login', asked)
    const stepUpToken = String(asked.body['stepUpToken'])
    const proof = await this.#proof(device, asked.body, stepUpToken)
    this.begin(
      device,
      await this.#world.must({ from: device, path: '/auth/login/step-up', body: { stepUpToken, ...proof } }),
    )
  }

  /** A password that is not theirs, typed by whoever it was. */
  async mistype(device: Device = this.desk): Promise<void> {
    const body = { email: this.email, password: 'not quite the right one', ...shown(device) }
    const { status } = await this.#world.call({ from: device, path: '/auth/login', body })
    if (status !== 401) throw new CommandError(`the demo could not be made: a wrong password was answered ${status}`)
  }

  /** Somebody with their password who gets no further. */
  async turnedAway(from: Device, error: 'IP_BLOCKED' | 'SESSION_BLOCKED'): Promise<void> {
    const body = { email: this.email, password: this.password, tenant: this.tenantId, ...shown(from) }
    const answer = await this.#world.call({ from, path: '/auth/login', body })
    if (answer.body['error'] !== error) throw unexpected('/auth/login', answer)
  }

  /** Goes on with what is there, and passes the step-up that is asked for on the way. */
  async refresh(device: Device = this.desk, from: Device = device): Promise<Answer> {
    const { refreshToken } = this.tokens(device)
    const send = (extra: Body = {}) =>
      this.#world.call({ from, path: '/auth/refresh', body: { refreshToken, ...shown(from), ...extra } })
    let answer = await send()
    if (answer.status === 428) {
      const stepUpToken = String(answer.body['stepUpToken'])
      const proof = await this.#proof(from, answer.body, stepUpToken)
      await this.#world.must({
        from,
        path: '/security/step-up/verify',
        body: { purpose: 'session_risk', ...proof },
        bearer: stepUpToken,
      })
      answer = await send({ stepUpToken })
    }
    if (answer.status === 200) {
      const tokens = this.#sessions.get(device) as Tokens
      tokens.accessToken = String(answer.body['accessToken'])
      tokens.refreshToken = String(answer.body['refreshToken'])
    } else {
      this.forget(device)
    }
    return answer
  }

  /** A working day's visit: goes on where there is a session, else signs in. */
  async visit(device: Device = this.desk): Promise<void> {
    if (this.isSignedIn(device) && (await this.refresh(device)).status === 200) return
    await this.signIn(device)
  }

  async signOut(device: Device = this.desk): Promise<void> {
    const { accessToken } = this.tokens(device)
    await this.#world.must({ from: device, path: '/auth/logout', bearer: accessToken })
    this.forget(device)
  }

  /** Signs out where they are signed in. */
  async leave(): Promise<void> {
    if (this.isSignedIn()) await this.signOut()
  }

  /** Passes a step-up for a purpose, with the factor that they have. */
  async stepUp(purpose: string, device: Device = this.desk): Promise<void> {
    const { accessToken } = this.tokens(device)
    const factors = this.totpSecret === undefined ? ['email_code'] : ['totp']
    const proof = await this.#proof(device, { purpose, factors }, accessToken)
    await this.#world.must({
      from: device,
      path: '/security/step-up/verify',
      body: { purpose, ...proof },
      bearer: accessToken,
    })
  }

  /** A code that is none. */
  async misstep(purpose: string, device: Device = this.desk): Promise<void> {
    const body = { purpose, factor: 'totp', code: '000000' }
    await this.#world.call({
      from: device,
      path: '/security/step-up/verify',
      body,
      bearer: this.tokens(device).accessToken,
    })
  }

  /** Does what asks for a step-up, and passes it first. */
  async act(
    purpose: string,
    call: { readonly path: string; readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'; readonly body?: Body },
  ): Promise<Body> {
    await this.stepUp(purpose)
    return this.#world.must({ ...call, from: this.desk, bearer: this.tokens().accessToken })
  }

  /** The phone with the app is not at hand. */
  async useRecoveryCode(purpose: string): Promise<void> {
    const [code, ...left] = this.recoveryCodes
    const body = { purpose, factor: 'recovery_code', code }
    await this.#world.must({
      from: this.desk,
      path: '/security/step-up/verify',
      body,
      bearer: this.tokens().accessToken,
    })
    this.recoveryCodes = left
  }

  async changePassword(): Promise<void> {
    const newPassword = randomPassword()
    const body = { currentPassword: this.password, newPassword }
    const { accessToken } = await this.act('security_settings', { path: '/auth/password', body })
    this.password = newPassword
    const tokens = this.#sessions.get(this.desk)
    if (tokens !== undefined) tokens.accessToken = String(accessToken)
  }

  async resetPassword(): Promise<void> {
    const from = this.desk
    await this.#world.must({ from, path: '/auth/password/reset-request', body: { email: this.email } })
    const { token } = await this.#world.mailed(this.email, 'password_reset')
    const password = randomPassword()
    await this.#world.must({ from, path: '/auth/password/reset', body: { token, password } })
    this.password = password
    this.forgetAll()
  }

  async enrolTotp(): Promise<void> {
    const { accessToken: bearer } = this.tokens()
    const from = this.desk
    // Somebody who has just signed in is not asked for the password again.
    const begun = await this.#world.must({ from, path: '/security/mfa/totp', bearer })
    this.totpSecret = String(begun['secret'])
    const body = { factorId: begun['factorId'], code: await this.#code() }
    const confirmed = await this.#world.must({ from, path: '/security/mfa/totp/confirm', body, bearer })
    this.recoveryCodes = confirmed['recoveryCodes'] as readonly string[]
  }

  async #proof(from: Device, demand: Body, bearer: string): Promise<Body> {
    const factors = demand['factors'] as readonly string[]
    if (this.totpSecret !== undefined && factors.includes('totp')) return { factor: 'totp', code: await this.#code() }
    const { purpose } = demand
    await this.#world.must({ from, path: '/security/step-up/email-code', body: { purpose }, bearer })
    return { factor: 'email_code', code: (await this.#world.mailed(this.email, 'step_up_code')).code }
  }

  /** An app shows a new code each half a minute, and each is good once. */
  async #code(): Promise<string> {
    if (this.totpSecret === undefined) throw new TypeError('demo: no authenticator app')
    if (stepOf(this.#world.now()) <= this.#lastStep) await this.#world.pass(TOTP_STEP_MS + 1_000)
    this.#lastStep = stepOf(this.#world.now())
    return totpCode(this.totpSecret, this.#world.now())
  }
}

/** Twenty characters: nobody types it, and nobody guesses it. */
export function randomPassword(): string {
  return randomBytes(15).toString('base64url')
}

function stepOf(now: Date): number {
  return Math.floor(now.getTime() / TOTP_STEP_MS)
}

function shown({ fingerprint }: Device): Body {
  return fingerprint === undefined ? {} : { deviceFingerprint: fingerprint }
}

function unexpected(path: string, { status, body }: Answer): CommandError {
  return new CommandError(
    `the demo could not be made: ${path} was answered ${status} ${String(body['error'])}: ${String(body['detail'])}`,
  )
}
