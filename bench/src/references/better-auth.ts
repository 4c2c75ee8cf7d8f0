/**
 * better-auth on PostgreSQL, asked for the session at each request, as its documentation shows.
 *
 * @module
 */

import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Hono } from 'hono'
import pg from 'pg'
import { administer } from '../database.ts'

function optionsFor(url: string) {
  return {
    // Tables of its own: its "user" and "session" are beside ours in one database.
    database: new pg.Pool({ connectionString: url, max: 10, options: '-c search_path=better_auth' }),
    baseURL: 'http://127.0.0.1',
    secret: 'a secret for a database that lives for minutes',
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  } as const
}

export async function betterAuthHost(url: string): Promise<Server> {
  const auth = betterAuth(optionsFor(url))
  const app = new Hono().get('/projects', async (c) => {
    const found = await auth.api.getSession({ headers: c.req.raw.headers })
    if (found === null) return c.json({ error: 'unauthorized' }, 401)
    const { user, session } = found
    return c.json({
      user: { id: user.id, tenantId: user.id },
      session: { id: session.id },
      projects: [{ id: 1, name: 'First' }],
    })
  })
  return createAdaptorServer({ fetch: app.fetch }) as Server
}

/** Makes its tables and signs people up. @returns The cookie of each. */
export async function betterAuthCookies(url: string, count: number): Promise<string[]> {
  await administer(url, 'create schema better_auth')
  const options = optionsFor(url)
  try {
    await (await getMigrations(options)).runMigrations()
    const auth = betterAuth(options)
    const cookies: string[] = []
    for (let n = 0; n < count; n++) {
      const { headers } = await auth.api.signUpEmail({
        body: { email: `member-${n}@example.com`, name: `Member ${n}`, password: 'correct horse battery' },
        returnHeaders: true,
      })
      cookies.push(
        headers
          .getSetCookie()
          .map((cookie) => cookie.split(';', 1)[0] ?? '')
          .join('; '),
      )
    }
    return cookies
  } finally {
    await options.database.end()
  }
}
