/**
 * An authenticated request over HTTP, 64 connections, each a session of its own, while sessions are revoked on another node.
 *
 * @module
 */

import type { Bench, Figure } from '../bench.ts'
import { settle, withDatabase } from '../database.ts'
import { addMembers, openGuard, SECRET, signIn, USER_AGENT } from '../fixtures.ts'
import { postgres } from '../library.ts'
import { requestText } from '../load/plan.ts'
import { putLoad, type Target } from '../load/load.ts'
import { byTurns, compare, limit } from '../measure.ts'
import { startWorker, type Worker } from '../processes.ts'
import { betterAuthCookies } from '../references/better-auth.ts'
import { sqlOn } from '../references/sql.ts'
import type { StartServer } from '../servers/start.ts'
import { Revocations } from './revocations.ts'

const CONNECTIONS = 64

export const authenticatedHttpBench: Bench = {
  name: 'authenticated-http',
  title: `An authenticated request over HTTP, ${CONNECTIONS} connections`,
  run: ({ full, postgresUrl }) =>
    withDatabase(postgresUrl, async (url) => {
      const guard = await openGuard(postgres({ url }))
      const { run, end } = sqlOn(url)
      const workers: Worker[] = []
      try {
        const members = await addMembers(run, CONNECTIONS)
        const sessions = await signIn(guard, members)
        const cookies = await betterAuthCookies(url, CONNECTIONS)
        const bearers = sessions.map(({ accessToken }) => ({ authorization: `Bearer ${accessToken}` }))
        const target = async (kind: string, credentials: readonly Record<string, string>[], path = '/projects') => {
          const server = startWorker('./servers/hosts.ts')
          workers.push(server)
          const port = await server.call<number>('start', { kind, url, secret: SECRET } satisfies StartServer)
          const connections = credentials.map((credential) => ({
            request: requestText('GET', path, { 'user-agent': USER_AGENT, accept: 'application/json', ...credential }),
          }))
          return { server, port, connections } satisfies Target
        }
        const targets = {
          guarded: await target('guarded', bearers),
          hono: await target('hono', bearers),
          express: await target('express', bearers),
          verify: await target('verify-only', bearers),
          plain: await target('plain', bearers),
          better: await target(
            'better-auth',
            cookies.map((cookie) => ({ cookie })),
          ),
          me: await target('own-api', bearers, '/api/auth/me'),
        }
        const generator = startWorker('./load/generator.ts')
        workers.push(generator)
        const milliseconds = full ? 8_000 : 1_500
        const load = (of: Target) => putLoad(generator, of, milliseconds)
        // Sign-ins beyond those that put load on, to be revoked through the node in this process.
        const revocations = new Revocations(guard, await signIn(guard, members, full ? 16 : 2), targets.guarded.port)
        await settle(url)
        const figures = await byTurns(
          [
            { name: 'ours: Hono with guard.authenticate', run: () => revocations.during(() => load(targets.guarded)) },
            { name: 'bare Hono', run: () => load(targets.hono) },
            { name: 'bare Express 5', run: () => load(targets.express) },
            { name: 'Hono: jose verify only', run: () => load(targets.verify) },
            { name: 'Hono: verify + SELECT + UPDATE', run: () => load(targets.plain) },
            { name: 'better-auth getSession', run: () => load(targets.better) },
            { name: 'ours: GET /api/auth/me', run: () => load(targets.me) },
          ],
          full ? 5 : 3,
          '/s',
        )
        const [ours, hono, express, verify, plain, better, me] = figures as Figure[] as [
          Figure,
          Figure,
          Figure,
          Figure,
          Figure,
          Figure,
          Figure,
        ]
        const work = 'authenticated request'
        return {
          figures,
          comparisons: [
            compare(work, ours, hono, { kind: 'at least', value: 0.5 }),
            compare(work, ours, express, { kind: 'at least', value: 0.85 }),
            compare(work, ours, plain, { kind: 'at least', value: 10 }),
            compare(work, ours, verify),
            compare(work, ours, better),
            compare('GET /api/auth/me', me, better),
            limit('revoked elsewhere until refused, p99', 'ms', revocations.percentile(99), {
              kind: 'at most',
              value: 250,
            }),
            limit('revoked elsewhere until refused, longest', 'ms', revocations.percentile(100), {
              kind: 'at most',
              value: 2000,
            }),
          ],
          notes: [
            `${revocations.count} sessions were revoked on another node under this load; none was let in after its first refusal`,
            ...saturation(figures),
          ],
        }
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()))
        await end()
        await guard.close()
      }
    }),
}

/** Where the generator and not the server was the limit, the figure is a lower bound. */
function saturation(figures: readonly Figure[]): string[] {
  return figures
    .filter(({ details }) => (details['serverCore'] ?? 1) < 0.85 && (details['generatorCore'] ?? 0) > 0.85)
    .map(({ name }) => `${name}: the load generator was the limit, the server could do more`)
}
