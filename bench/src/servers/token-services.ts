/**
 * Servers that exchange refresh tokens, each in the way of its kind. One process, one kind.
 *
 * @module
 */

import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { generateKeyPair, SignJWT } from 'jose'
import { loadConfig } from '../../../packages/server/dist/config.js'
import { createLogger } from '../../../packages/server/dist/logger.js'
import { startService } from '../../../packages/server/dist/service.js'
import { administer } from '../database.ts'
import { ISSUER, USER_AGENT } from '../fixtures.ts'
import { serveCalls } from '../processes.ts'
import type { RunNamed } from '../references/plain-rotation.ts'
import { addPlainSessions, PLAIN_TABLES, rotateInFive } from '../references/plain-rotation.ts'
import { sqlOn } from '../references/sql.ts'
import { freePort, listening, type StartServer } from './start.ts'

export interface StartTokenService extends StartServer {
  /** How many sessions to make, where the server makes its own. */
  readonly sessions: number
}

export interface StartedTokenService {
  readonly port: number
  /** A token of each session, where the server made its own. */
  readonly tokens: readonly string[]
}

serveCalls({
  async start({ kind, url, secret, sessions }: StartTokenService): Promise<StartedTokenService> {
    if (kind === 'service') return { port: await standaloneService(url, secret), tokens: [] }
    if (kind === 'plain') {
      const { server, tokens } = await plain(url, sessions)
      return { port: await listening(server), tokens }
    }
    // Loaded here alone: it takes long, and has things to say about the runtime.
    const { oidcProvider } = await import('../references/oidc-provider.ts')
    const { server, tokens } = await oidcProvider(url, sessions)
    return { port: await listening(server), tokens }
  },
})

/** The service as `sallyport serve` starts it, in production. */
async function standaloneService(url: string, secret: string): Promise<number> {
  const port = await freePort()
  const config = await loadConfig({
    env: {
      NODE_ENV: 'production',
      DATABASE_URL: url,
      SALLYPORT_SECRETS: secret,
      SALLYPORT_ISSUER: ISSUER,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'warn',
    },
    cwd: import.meta.dirname,
  })
  // Counted as ever, and wide: all load comes from one address, and each session refreshes hundreds of times a minute.
  const rateLimits = { refresh: { subject: 1_000_000, address: 1_000_000 } }
  const engine = { ...config.engine, rateLimits }
  await startService({ ...config, engine }, createLogger({ level: 'warn', json: true }))
  return port
}

/** Five statements and a signature by jose. */
async function plain(url: string, sessions: number): Promise<{ server: Server; tokens: string[] }> {
  const { pool } = sqlOn(url, 10)
  const run: RunNamed = (name, text, values) => pool.query({ name, text, values })
  await administer(url, PLAIN_TABLES)
  const tokens = (await addPlainSessions(run, sessions)).map(({ token }) => token)
  const { privateKey } = await generateKeyPair('EdDSA')
  const app = new Hono().post('/refresh', async (c) => {
    const { refreshToken } = await c.req.json<{ refreshToken: string }>()
    const next = await rotateInFive(run, refreshToken, '127.0.0.1', c.req.header('user-agent') ?? USER_AGENT)
    const accessToken = await new SignJWT({ sid: next.sessionId })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setSubject(next.userId)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
    return c.json({ accessToken, expiresIn: 600, refreshToken: next.token })
  })
  return { server: createAdaptorServer({ fetch: app.fetch }) as Server, tokens }
}
