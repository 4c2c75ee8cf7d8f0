/**
 * The built service with its console, as people run it, and what a test does to it without a browser.
 *
 * @module
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, serve } from '../../processes/support.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'
import { earlierTotpCode } from '../../support/totp.ts'

export const PASSWORD = 'violet anchors hum below'

/** A place, as a proxy that is trusted tells it. */
export interface Place {
  readonly address: string
  readonly country?: string
  readonly city?: string
  readonly latitude?: string
  readonly longitude?: string
}

export const BERLIN: Place = {
  address: '85.214.132.117',
  country: 'DE',
  city: 'Berlin',
  latitude: '52.52',
  longitude: '13.40',
}
export const LISBON: Place = { address: '194.65.14.1', country: 'PT', city: 'Lisbon' }

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects and fails where it is not there
  readonly body: any
}

export interface Asking {
  readonly token?: string
  readonly place?: Place
  readonly headers?: Readonly<Record<string, string>>
}

export interface Person {
  readonly email: string
  readonly name: string
  readonly userId: string
  readonly staffId: string
  readonly tenantId: string
  readonly token: string
}

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly kind: string
  readonly token?: string
  readonly code?: string
}

export interface ConsoleService {
  readonly url: string
  send(method: string, path: string, body?: unknown, asking?: Asking): Promise<Answer>
  /** Signs a tenant up. */
  signUp(name: string, tenantName: string): Promise<Person>
  /** Opens purposes to a person's session by recovery codes of theirs. */
  open(person: Person, codes: string[], ...purposes: readonly string[]): Promise<void>
  /** Enrols an authenticator app by the code of the step before: the code of now is still good. */
  enrol(person: Person): Promise<{ readonly secret: string; readonly recoveryCodes: string[] }>
  /** Invites and accepts. The inviter has to have `team_change` open. */
  join(by: Person, name: string, role: string): Promise<Person>
  /** The newest mail of a kind. */
  mail(to: string, kind: string): Promise<Mail>
  /** Runs the command line against the same database. */
  command(...args: readonly string[]): ReturnType<typeof run>
  readonly folder: string
  close(): Promise<void>
}

export interface StartOptions {
  /** Makes the demo tenant first, on the embedded database: what `npm start` opens on. */
  readonly demo?: boolean
}

/** On PostgreSQL where there is one, as in production; else on the embedded database, as `npm start`. */
export async function startConsole(
  settings: Readonly<Record<string, unknown>> = {},
  { demo = false }: StartOptions = {},
): Promise<ConsoleService> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-console-'))
  const config = {
    // Requests say where they come from, as through a proxy.
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    geo: {
      headers: {
        country: 'x-test-country',
        city: 'x-test-city',
        latitude: 'x-test-latitude',
        longitude: 'x-test-longitude',
      },
    },
    // Tests sign in more often than people do.
    risk: { thresholds: { rapidSessions: 0 } },
    rateLimits: 'off',
    ...settings,
  }
  await writeFile(join(folder, 'sallyport.config.json'), JSON.stringify(config))
  const database = hasPostgres && !demo ? await createDatabase() : undefined
  const env = {
    LOG_LEVEL: 'warn',
    SALLYPORT_DATA_DIR: join(folder, 'data'),
    SALLYPORT_SECRETS: 'Zl5l4u2bC1xw8pQm9s7d3fGhJkLzXcVbNmAsDfGhJkQ',
    ...(database && { DATABASE_URL: database.url }),
  }
  if (database !== undefined) await run(['migrate'], folder, env)
  const running = await serve(folder, env, demo ? ['--demo'] : [])
  // By its name and not by its number: passkeys are of a domain.
  const url = running.url.replace('127.0.0.1', 'localhost')

  const send: ConsoleService['send'] = async (method, path, body, { token, place, headers = {} } = {}) => {
    const response = await fetch(`${running.url}/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...placeHeaders(place),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  const expected = async (answer: Promise<Answer>): Promise<Answer['body']> => {
    const { status, body } = await answer
    if (status > 299) throw new Error(`${status}: ${JSON.stringify(body)}`)
    return body
  }
  let people = 0
  const personOf = (body: Answer['body']): Person => ({
    email: body.user.email,
    name: body.user.name,
    userId: body.user.id,
    staffId: body.staff.id,
    tenantId: body.tenant.id,
    token: body.accessToken,
  })
  const addressOf = (name: string): string => `${name.toLowerCase().replaceAll(/\W+/g, '.')}.${++people}@example.com`

  const mail: ConsoleService['mail'] = async (to, kind) => {
    for (let waited = 0; waited < 10_000; waited += 25) {
      const response = await fetch(`${running.url}/api/dev/outbox?to=${encodeURIComponent(to)}`)
      const { messages } = (await response.json()) as { readonly messages: readonly Mail[] }
      const found = messages.findLast((message) => message.kind === kind)
      if (found !== undefined) return found
      await sleep(25)
    }
    throw new Error(`no mail of the kind ${kind} came for ${to}`)
  }

  return {
    url,
    folder,
    send,
    mail,
    async signUp(name, tenantName) {
      const body = { email: addressOf(name), password: PASSWORD, name, tenantName }
      return personOf(await expected(send('POST', '/auth/sign-up', body, { place: BERLIN })))
    },
    async enrol({ token }) {
      const { factorId, secret } = await expected(send('POST', '/security/mfa/totp', {}, { token }))
      const code = await earlierTotpCode(secret)
      const { recoveryCodes } = await expected(
        send('POST', '/security/mfa/totp/confirm', { factorId, code }, { token }),
      )
      return { secret, recoveryCodes }
    },
    async open({ token }, codes, ...purposes) {
      for (const purpose of purposes) {
        const proof = { purpose, factor: 'recovery_code', code: codes.pop() }
        await expected(send('POST', '/security/step-up/verify', proof, { token }))
      }
    },
    async join({ token }, name, role) {
      const email = addressOf(name)
      await expected(send('POST', '/team/invitations', { email, name, role }, { token }))
      const link = await mail(email, 'invitation')
      const body = { token: link.token, name, password: PASSWORD }
      return personOf(await expected(send('POST', '/auth/invitations/accept', body, { place: LISBON })))
    },
    command: (...args) => run(args, folder, env),
    async close() {
      await running.end('SIGTERM')
      await database?.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The headers by which a place is told. */
export function placeHeaders(place: Place | undefined): Record<string, string> {
  if (place === undefined) return {}
  const { address, ...told } = place
  return {
    'x-forwarded-for': address,
    ...Object.fromEntries(Object.entries(told).map(([name, value]) => [`x-test-${name}`, value])),
  }
}
