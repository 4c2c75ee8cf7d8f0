/**
 * Who may call what: every route, with every kind of caller, against what its declaration promises; written as the table of
 * docs/permissions.md. With SALLYPORT_WRITE_DOCS=1 the table is written anew, otherwise a difference fails.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signAccessToken } from '../../packages/sallyport/src/access-tokens/sign.ts'
import { verifyAccessToken } from '../../packages/sallyport/src/access-tokens/verify.ts'
import { ROLE_PERMISSIONS } from '../../packages/sallyport/src/directory/roles.ts'
import type { Role } from '../../packages/sallyport/src/directory/roles.ts'
import { API_ROUTES } from '../../packages/sallyport/src/http/api.ts'
import { documentationRoutes } from '../../packages/sallyport/src/http/routes/openapi.ts'
import type { RouteRow } from '../../packages/sallyport/src/http/route-table.ts'
import { routeTable } from '../../packages/sallyport/src/http/route-table.ts'
import type { InProcess, Member } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

const FILE = new URL('../../docs/permissions.md', import.meta.url)

interface Kind {
  readonly title: string
  /** A token for one request: some routes end the session that they are called with. */
  readonly token: () => Promise<string | undefined>
  readonly role?: Role
  readonly fails?: 401 | 428
  readonly impersonated?: true
}

let api: InProcess
let kinds: readonly Kind[]

beforeAll(async () => {
  api = await openInProcess({ risk: { mode: 'off' } })
  const owner = await api.signUp({ tenantName: 'Ours' })
  const [admin, auditor, member] = [
    await api.join(owner, 'admin'),
    await api.join(owner, 'auditor'),
    await api.join(owner, 'member'),
  ]
  const stranger = await api.signUp({ tenantName: 'Theirs' })
  const fresh = (of: Member) => async () => (await api.login(of.email)).accessToken
  const revoked = await api.login(owner.email)
  await api.send('POST', '/api/auth/logout', { body: {}, token: revoked.accessToken })
  const waiting = async () => {
    const session = await api.login(owner.email)
    await api.rows(`update user_sessions set step_up_required_at = created_at where id = '${session.sessionId}'`)
    return session.accessToken
  }
  kinds = [
    { title: 'no token', token: async () => undefined, fails: 401 },
    { title: 'expired', token: async () => await expiredTokenOf(owner), fails: 401 },
    { title: 'revoked', token: async () => revoked.accessToken, fails: 401 },
    { title: 'waiting', token: waiting, fails: 428 },
    { title: 'member', token: fresh(member), role: 'member' },
    { title: 'auditor', token: fresh(auditor), role: 'auditor' },
    { title: 'admin', token: fresh(admin), role: 'admin' },
    { title: 'owner', token: fresh(owner), role: 'owner' },
    { title: 'owner as admin', token: () => actAs(owner, admin), role: 'admin', impersonated: true },
    { title: "another tenant's owner", token: fresh(stranger), role: 'owner' },
  ]

  async function actAs(real: Member, target: Member): Promise<string> {
    const session = await api.login(real.email)
    await api.open(session, 'impersonate')
    const { body } = await api.send('POST', `/api/security/impersonate/${target.staffId}`, {
      body: { reason: 'the table' },
      token: session.accessToken,
    })
    return body.accessToken
  }
})
afterAll(() => api?.close())

async function expiredTokenOf(owner: Member): Promise<string> {
  const { keys, settings } = api.engine
  const { issuer, audience, accessTtlMs: ttlMs } = settings
  const verified = verifyAccessToken(keys, { issuer, audience }, owner.accessToken, new Date())
  if (verified.kind !== 'valid') throw new TypeError('the token of the owner is not valid')
  const { claims } = verified
  const hourAgo = new Date(Date.now() - 3_600_000)
  const subject = {
    userId: claims.sub,
    staffId: claims.staff_id,
    tenantId: claims.tenant_id,
    sessionId: claims.sid,
    sessionVersion: claims.session_version,
    generation: claims.gen,
    authTime: hourAgo,
    amr: claims.amr,
    acr: claims.acr,
    sessionEndsAt: new Date(Date.now() + 3_600_000),
  }
  return (await signAccessToken(keys, { issuer, audience, ttlMs }, subject, hourAgo)).token
}

/** What the declaration promises; `undefined` where the guards let it through and the operation answers. */
function promised(route: RouteRow, kind: Kind): number | undefined {
  if (kind.fails !== undefined) return kind.fails
  const held: readonly string[] = ROLE_PERMISSIONS[kind.role ?? 'member']
  if (typeof route.permission === 'string' && !held.includes(route.permission)) return 403
  if (kind.impersonated === true && route.whileImpersonating === 'refused') return 403
  return route.stepUp === undefined ? undefined : 428
}

test('every route answers every caller as it declares, and the table says so', async () => {
  const lines: string[] = []
  const routes = routeTable([...API_ROUTES, ...documentationRoutes(API_ROUTES)])
  for (const route of routes.filter(({ auth }) => auth === 'session')) {
    const cells: string[] = []
    for (const kind of kinds) {
      const answer = await api.send(route.method, route.sample.path, {
        body: route.sample.body,
        token: await kind.token(),
      })
      const expected = promised(route, kind)
      const what = `${route.method} ${route.path}, ${kind.title}: ${answer.text}`
      if (expected !== undefined) expect(answer.status, what).toBe(expected)
      else expect([401, 403, 428, 500], what).not.toContain(answer.status)
      cells.push(String(answer.status))
    }
    const needs = [
      typeof route.permission === 'string' ? route.permission : (route.permission?.forOthers ?? ''),
      route.stepUp ?? '',
    ]
    const permission = typeof route.permission === 'object' ? `(${needs[0]})` : needs[0]
    lines.push(row([`\`${route.method} ${route.path}\``, permission ?? '', needs[1] ?? '', ...cells]))
  }
  const others: string[] = []
  for (const route of routes.filter(({ auth }) => auth !== 'session')) {
    const statuses: number[] = []
    for (const kind of kinds) {
      const answer = await api.send(route.method, route.sample.path, {
        body: filled(route),
        token: await kind.token(),
      })
      const expected = promisedByItself(route, kind)
      const what = `${route.method} ${route.path}, ${kind.title}: ${answer.text}`
      if (expected !== undefined) expect(answer.status, what).toBe(expected)
      else expect(answer.status, what).toBeLessThan(500)
      statuses.push(answer.status)
    }
    // Where no session is asked for, whoever sends one is nobody else for it.
    if (route.auth === 'none') expect(new Set(statuses).size, `${route.method} ${route.path}`).toBe(1)
    others.push(row([`\`${route.method} ${route.path}\``, takes(route), '', ...statuses.map(String)]))
  }
  const text = page(kinds, lines, others)
  if (process.env['SALLYPORT_WRITE_DOCS'] === '1') await writeFile(FILE, text)
  expect(await readFile(FILE, 'utf8'), 'docs/permissions.md: write it anew with SALLYPORT_WRITE_DOCS=1').toBe(text)
})

/** What a route promises that judges a credential of its own. */
function promisedByItself({ auth, path }: RouteRow, kind: Kind): number | undefined {
  if (typeof auth !== 'object') return undefined
  if (auth.optional === true) return 200
  const takesSessions = auth.credential.includes('accessToken')
  if (!takesSessions || kind.fails === 401) return 401
  // A session that waits goes on with the token that its 428 handed out, which is what it is told again.
  if (kind.fails === 428) return 428
  return kind.impersonated === true && path.includes('/step-up/') ? 403 : undefined
}

const takes = ({ auth }: RouteRow): string => (typeof auth === 'object' ? `(${auth.credential.join(' or ')})` : '')

let addresses = 0
/** What is signed up or asked for once is so once for each; where a code is judged, there is one. */
function filled({ path, sample: { body } }: RouteRow): unknown {
  if (path.endsWith('/step-up/verify')) return { ...(body as object), factor: 'totp', code: '000000' }
  if (typeof body !== 'object' || body === null || !('email' in body)) return body
  return { ...body, email: `table-${++addresses}@example.com` }
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function page(callers: readonly Kind[], lines: readonly string[], others: readonly string[]): string {
  return `# Who may call what

This table is written by \`tests/isolation/permissions.test.ts\`, which sends every request with every kind of caller and
holds the answers to the declarations of the routes. Write it anew with \`SALLYPORT_WRITE_DOCS=1 npx vitest run
tests/isolation/permissions.test.ts\`.

The requests are well formed and name things that are not there; nobody has passed a step-up. So **428** reads "may, after
the step-up", **404** and **409** "may, and there was nothing to do it to", **403** "may not", **401** "is nobody". A
permission in brackets is needed for what belongs to others. *Waiting* is a session that has to step up before anything
else; *owner as admin* an owner who acts as an admin.

${row(['Endpoint', 'Permission', 'Step-up', ...callers.map(({ title }) => title)])}
${row(['---', '---', '---', ...callers.map(() => '---')])}
${lines.join('\n')}

These ask for no session. What they judge they are given: a password, a link, a refresh token or a cookie, or the credential in
brackets as the bearer. Without one in the request that is good, **401** and **400** read "that is nobody's", to everybody alike.

${row(['Endpoint', 'Takes', '', ...callers.map(({ title }) => title)])}
${row(['---', '---', '---', ...callers.map(() => '---')])}
${others.join('\n')}
`
}
