/**
 * A story in which every secret is noted the moment it is made, and a search for each of them in whatever is kept or shown:
 * the database, the log at its most talkative, the metrics, the documents and all other answers.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Running } from '../processes/support.ts'
import type { Answer } from '../support/client.ts'
import { send } from '../support/client.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import { hasPostgres } from '../support/postgres.ts'

const METRICS_TOKEN = randomBytes(24).toString('base64url')
const SERVER_SECRET = randomBytes(32).toString('base64url')

/** A password that nothing else contains, of words that the rules for passwords let through. */
const marked = (word: string): string => `${word} ${randomBytes(9).toString('hex')} over the hills`

interface Noted {
  readonly what: string
  readonly value: string
}

describe.skipIf(!hasPostgres)('secrets', () => {
  let cluster: Cluster
  let node: Running
  const secrets: Noted[] = []
  /** Every answer, with what it is there to hand out. */
  const answers: { readonly what: string; readonly text: string; readonly carries: readonly string[] }[] = []

  const note = (what: string, ...values: readonly string[]): void => {
    for (const value of values) secrets.push({ what, value })
  }

  /** Sends a request; the secrets in `of` are what the answer is for. */
  async function ask(
    path: string,
    options: Parameters<typeof send>[2] = {},
    of: (body: Answer['body']) => Readonly<Record<string, string | readonly string[]>> = () => ({}),
  ): Promise<Answer> {
    const answer = await send(node.url, path, options)
    const carried = answer.status < 300 ? of(answer.body) : {}
    for (const [what, values] of Object.entries(carried)) note(what, ...[values].flat())
    const text = `${JSON.stringify(answer.headers)} ${JSON.stringify(answer.body)}`
    answers.push({ what: `${path} → ${answer.status}`, text, carries: Object.values(carried).flat() })
    return answer
  }
  const tokens = (body: Answer['body']) => ({ 'access token': body.accessToken, 'refresh token': body.refreshToken })
  const ok = ({ status, body }: Answer): Answer['body'] => {
    expect(status, JSON.stringify(body)).toBeLessThan(300)
    return body
  }
  async function mailed(to: string): Promise<string> {
    // The outbox is the mail: what is in it is where it belongs.
    const { body } = await send(node.url, `/api/dev/outbox?to=${encodeURIComponent(to)}`)
    const token = body.messages.findLast((mail: { token?: string }) => mail.token !== undefined)?.token
    expect(token).toMatch(/^spot_/)
    note('one-time token', token)
    return token
  }

  beforeAll(async () => {
    cluster = await startCluster(
      1,
      { rateLimits: 'off', retry: { overlap: 1 } },
      {
        LOG_LEVEL: 'debug',
        SALLYPORT_METRICS_TOKEN: METRICS_TOKEN,
        SALLYPORT_SECRETS: SERVER_SECRET,
      },
    )
    node = cluster.nodes[0] as Running
    note('server secret', SERVER_SECRET)
    note('metrics token', METRICS_TOKEN)
    await story()
  })
  afterAll(() => cluster?.close())

  async function story(): Promise<void> {
    const [first, second, third, wrong, bobs] = ['meadow', 'lantern', 'harbour', 'wrong', 'ferry'].map(marked) as [
      string,
      string,
      string,
      string,
      string,
    ]
    note('password', first, second, third, wrong, bobs)
    const ada = 'ada@example.com'
    const bob = 'bob@example.com'

    // Signs up, confirms the address, and signs in, also wrongly and with fields mixed up.
    const signedUp = ok(
      await ask(
        '/api/auth/sign-up',
        { body: { email: ada, password: first, name: 'Ada', tenantName: 'Engines' } },
        tokens,
      ),
    )
    let token: string = signedUp.accessToken
    ok(await ask('/api/auth/email/verify', { body: { token: await mailed(ada) } }))
    await ask('/api/auth/login', { body: { email: ada, password: wrong } })
    await ask('/api/auth/login', { body: { email: wrong, password: ada } })
    await ask('/api/auth/login', { body: { email: ada, password: first, tenant: wrong } })
    await ask('/api/auth/login', { body: { email: ada, password: [first] } })
    await ask('/api/auth/login', { body: { email: ada, password: first, passwort: second } })
    await ask(`/api/auth/me?access_token=${token}`, { token })
    await ask('/api/auth/me', {
      headers: { authorization: `Basic ${Buffer.from(`${ada}:${first}`).toString('base64')}` },
    })
    await ask('/api/auth/me', { token: signedUp.refreshToken })
    const other = ok(await ask('/api/auth/login', { body: { email: ada, password: first } }, tokens))

    // Refreshes, asks again, and is robbed.
    const next = ok(await ask('/api/auth/refresh', { body: { refreshToken: other.refreshToken } }, tokens))
    ok(await ask('/api/auth/refresh', { body: { refreshToken: other.refreshToken } }, tokens))
    const newest = ok(await ask('/api/auth/refresh', { body: { refreshToken: next.refreshToken } }, tokens))
    await ask('/api/auth/refresh', { body: { refreshToken: `${newest.refreshToken.slice(0, -1)}A` } })
    const robbed = await ask('/api/auth/refresh', { body: { refreshToken: other.refreshToken } })
    expect(robbed.body.error).toBe('REFRESH_TOKEN_REUSED')
    token = ok(await ask('/api/auth/login', { body: { email: ada, password: first } }, tokens)).accessToken

    // Enrols an app, gives right and wrong codes, and changes the password.
    const begun = ok(
      await ask('/api/security/mfa/totp', { body: { password: first }, token }, ({ secret }) => ({
        'authenticator secret': secret,
      })),
    )
    const code = totpCode(begun.secret, new Date())
    const { recoveryCodes } = ok(
      await ask('/api/security/mfa/totp/confirm', { body: { factorId: begun.factorId, code }, token }, (body) => ({
        'recovery code': body.recoveryCodes,
      })),
    )
    const stepUp = (purpose: string, factor: string, given: string): Promise<Answer> =>
      ask('/api/security/step-up/verify', { body: { purpose, factor, code: given }, token })
    await stepUp('revoke_session', 'totp', code)
    await stepUp('revoke_session', 'recovery_code', 'wrong-code-typed')
    ok(await stepUp('revoke_session', 'recovery_code', recoveryCodes[0]))
    ok(await stepUp('security_settings', 'recovery_code', recoveryCodes[1]))
    ok(await stepUp('team_change', 'recovery_code', recoveryCodes[2]))
    ok(await stepUp('force_logout', 'recovery_code', recoveryCodes[3]))
    await ask('/api/auth/password', { body: { currentPassword: wrong, newPassword: second }, token })
    const changed = ok(
      await ask('/api/auth/password', { body: { currentPassword: first, newPassword: second }, token }, (body) => ({
        'access token': body.accessToken,
      })),
    )
    token = changed.accessToken

    // Invites, forces out, and resets.
    ok(await ask('/api/team/invitations', { body: { email: bob, name: 'Bob', role: 'member' }, token }))
    const invitation = await mailed(bob)
    await ask('/api/auth/invitations/accept', { body: { token: invitation, name: 'Bob', password: 'short' } })
    const joined = ok(
      await ask('/api/auth/invitations/accept', { body: { token: invitation, name: 'Bob', password: bobs } }, tokens),
    )
    await ask('/api/auth/invitations/accept', { body: { token: invitation, name: 'Bob', password: bobs } })
    ok(await ask(`/api/security/sessions?userId=${joined.user.id}&state=all`, { token }))
    ok(await ask(`/api/security/force-logout/${joined.user.id}`, { method: 'POST', token }))
    await ask('/api/auth/me', { token: joined.accessToken })
    ok(await ask('/api/auth/password/reset-request', { body: { email: ada } }))
    const reset = await mailed(ada)
    await ask('/api/auth/password/reset', { body: { token: reset, password: 'passwordpassword' } })
    ok(await ask('/api/auth/password/reset', { body: { token: reset, password: third } }))
    await ask('/api/auth/password/reset', { body: { token: reset, password: third } })
    const last = await ask('/api/auth/login', { body: { email: ada, password: third } }, (body) => tokens(body))
    if (last.body.stepUpToken !== undefined) note('step-up token of a sign-in', last.body.stepUpToken)

    // What anyone can read, and what a member can.
    const seen = ok(await ask('/api/auth/login', { body: { email: bob, password: bobs } }, tokens))
    for (const path of ['/api/auth/me', '/api/security/mfa', '/api/security/sessions?state=all', '/api/team']) {
      await ask(path, { token: seen.accessToken })
    }
    await ask('/api/auth/logout', { body: { refreshToken: seen.refreshToken } })
  }

  /** The forms in which a secret might lie about. A hash of it is none. */
  function formsOf(value: string): readonly string[] {
    const bytes = Buffer.from(value)
    const base32 = /^[A-Z2-7]{32,}$/.test(value) ? [bytesOfBase32(value)] : []
    return [
      value,
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      ...[bytes, ...base32, ...(/^[\w-]{43}$/.test(value) ? [Buffer.from(value, 'base64url')] : [])].flatMap((form) => [
        form.toString('hex'),
        form.toString('base64').replace(/=+$/, ''),
        form.toString('base64url'),
      ]),
    ]
  }

  function found(text: string, allowed: readonly string[] = []): string[] {
    const lower = text.toLowerCase()
    return secrets
      .filter(({ value }) => !allowed.includes(value))
      .filter(({ value }) => formsOf(value).some((form) => lower.includes(form.toLowerCase())))
      .map(({ what, value }) => `${what} ${value}`)
  }

  test('the story made every kind of them', () => {
    const kinds = new Set(secrets.map(({ what }) => what))
    for (const kind of [
      'password',
      'access token',
      'refresh token',
      'one-time token',
      'authenticator secret',
      'recovery code',
    ]) {
      expect([...kinds]).toContain(kind)
    }
    // The search finds what is there.
    const [{ value } = { value: '' }] = secrets.filter(({ what }) => what === 'refresh token')
    expect(found(`x${Buffer.from(value).toString('hex')}y`)).toHaveLength(1)
    expect(found(`x${value}y`)).toHaveLength(1)
    expect(found('nothing')).toEqual([])
  })

  test('no row of any table holds one, in whatever form', async () => {
    const client = new pg.Client({ connectionString: cluster.databaseUrl })
    await client.connect()
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        "select table_name as name from information_schema.tables where table_schema = 'public'",
      )
      let searched = 0
      for (const { name } of tables) {
        const { rows } = await client.query<{ row: string }>(
          `select t::text || ' ' || to_jsonb(t)::text as row from ${name} t`,
        )
        for (const { row } of rows) {
          // Text that is stored as bytes reads as hexadecimal, which is one of the forms.
          expect(found(row), `${name}: ${row}`).toEqual([])
          searched++
        }
      }
      expect(searched).toBeGreaterThan(50)
      const { rows: keys } = await client.query<{ text: string }>(
        "select public_jwk::text || ' ' || coalesce(private_key, '') as text from signing_keys",
      )
      for (const { text } of keys) expect(text).not.toMatch(/"(?:d|k|p|q)":|BEGIN/)
    } finally {
      await client.end()
    }
  })

  test('nor does the log, which tells of every request', () => {
    const log = node.output()
    expect(log.split('\n').filter((line) => line.includes('/api/auth/login')).length).toBeGreaterThan(3)
    for (const line of log.split('\n')) expect(found(line), line).toEqual([])
  })

  test('nor do the metrics and the documents', async () => {
    const metrics = await fetch(`${node.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })
    expect(metrics.status).toBe(200)
    expect((await fetch(`${node.url}/metrics`)).status).toBe(401)
    const texts = [await metrics.text()]
    for (const path of ['/', '/healthz', '/readyz', '/api/docs', '/api/openapi.json', '/.well-known/jwks.json']) {
      const response = await fetch(`${node.url}${path}`)
      expect([path, response.status]).toEqual([path, 200])
      texts.push(await response.text())
    }
    for (const text of texts) expect(found(text)).toEqual([])
  })

  test('nor does any answer, but the one that hands it out', () => {
    expect(answers.length).toBeGreaterThan(40)
    for (const { what, text, carries } of answers) {
      // The successor of a refresh is handed out again to whoever asks with the same token.
      const again = secrets.filter(({ value }) => carries.includes(value)).map(({ value }) => value)
      const stepUpToken = /"stepUpToken":"([^"]+)"/.exec(text)?.[1]
      expect(found(text, [...again, ...(stepUpToken === undefined ? [] : [stepUpToken])]), what).toEqual([])
    }
  })
})

function bytesOfBase32(text: string): Buffer {
  const bits = [...text]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
