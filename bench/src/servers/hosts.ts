/**
 * Applications that answer an authenticated request with a little JSON, each in the way of its kind. One process, one kind.
 *
 * @module
 */

import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { jwtVerify } from 'jose'
import { ISSUER, openGuard } from '../fixtures.ts'
import type { Caller } from '../library.ts'
import { postgres } from '../library.ts'
import { serveCalls } from '../processes.ts'
import { betterAuthHost } from '../references/better-auth.ts'
import { sqlOn } from '../references/sql.ts'
import { verifyingKey } from '../references/verifying-key.ts'
import { listening, type StartServer } from './start.ts'

const KINDS: Readonly<Record<string, (start: StartServer) => Server | Promise<Server>>> = {
  hono: bareHono,
  express: bareExpress,
  guarded: guarded,
  'own-api': ownApi,
  'verify-only': (start) => plain(start, false),
  plain: (start) => plain(start, true),
  'better-auth': ({ url }) => betterAuthHost(url),
}

serveCalls({
  async start(start: StartServer): Promise<number> {
    const make = KINDS[start.kind]
    if (make === undefined) throw new TypeError(`no such kind: ${start.kind}`)
    return listening(await make(start))
  },
})

/** All answer the same, so that what differs is how they know it. */
function answerFor(userId: string, tenantId: string, sessionId: string) {
  return { user: { id: userId, tenantId }, session: { id: sessionId }, projects: [{ id: 1, name: 'First' }] }
}

const SOMEBODY = answerFor(
  '0199a1b2-0000-7000-8000-000000000001',
  '0199a1b2-0000-7000-8000-000000000002',
  '0199a1b2-0000-7000-8000-000000000003',
)

function serverOf(app: Pick<Hono, 'fetch'>): Server {
  return createAdaptorServer({ fetch: app.fetch }) as Server
}

function bareHono(): Server {
  return serverOf(new Hono().get('/projects', (c) => c.json(SOMEBODY)))
}

async function bareExpress(): Promise<Server> {
  const { createServer } = await import('node:http')
  const app = express()
  app.disable('x-powered-by')
  app.get('/projects', (_request, response) => {
    response.json(SOMEBODY)
  })
  return createServer(app)
}

/** A Hono application that asks the library who is calling. */
async function guarded({ url, secret }: StartServer): Promise<Server> {
  const guard = await openGuard(postgres({ url }), secret)
  const signedIn = createMiddleware<{ Variables: { caller: Caller } }>(async (c, next) => {
    try {
      c.set('caller', await guard.authenticate(c.req.header('authorization')?.slice(7)))
    } catch {
      return c.json({ error: 'unauthorized' }, 401)
    }
    return next()
  })
  const app = new Hono().get('/projects', signedIn, (c) => {
    const { userId, tenantId, sessionId } = c.get('caller')
    return c.json(answerFor(userId, tenantId, sessionId))
  })
  return serverOf(app)
}

/** The library's own API. */
async function ownApi({ url, secret }: StartServer): Promise<Server> {
  const guard = await openGuard(postgres({ url }), secret)
  return serverOf({ fetch: (request: Request) => guard.handler(request) })
}

/** The common design: verify the token, look at the session and note that it was seen, each time. */
async function plain({ url }: StartServer, askDatabase: boolean): Promise<Server> {
  const { pool, run } = sqlOn(url, 10)
  const key = await verifyingKey(run)
  const app = new Hono().get('/projects', async (c) => {
    const token = c.req.header('authorization')?.slice(7) ?? ''
    const { payload } = await jwtVerify(token, key, { issuer: ISSUER, algorithms: ['EdDSA'] })
    const { sub = '', tenant_id: tenantId, sid } = payload
    if (askDatabase) {
      const { rows } = await pool.query({
        name: 'session',
        text: `select s.id from user_sessions s join users u on u.id = s.user_id
          where s.id = $1 and s.tenant_id = $2 and s.revoked_at is null and s.expires_at > now() and u.disabled_at is null`,
        values: [sid, tenantId],
      })
      if (rows.length === 0) return c.json({ error: 'unauthorized' }, 401)
      await pool.query({
        name: 'seen',
        text: 'update user_sessions set last_seen_at = now() where id = $1 and tenant_id = $2',
        values: [sid, tenantId],
      })
    }
    return c.json(answerFor(sub, String(tenantId), String(sid)))
  })
  return serverOf(app)
}
