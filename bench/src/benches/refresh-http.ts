/**
 * Refresh over HTTP, 64 connections, each with a session of its own and its newest token.
 *
 * @module
 */

import type { Bench, Figure } from '../bench.ts'
import { administer, settle, withDatabase } from '../database.ts'
import { addMembers, openGuard, SECRET, signIn, USER_AGENT } from '../fixtures.ts'
import { postgres } from '../library.ts'
import { putLoad, type Target } from '../load/load.ts'
import { requestText } from '../load/plan.ts'
import { byTurns, compare } from '../measure.ts'
import { startWorker, type Worker } from '../processes.ts'
import { sqlOn } from '../references/sql.ts'
import { CLIENT_ID } from '../servers/start.ts'
import type { StartedTokenService, StartTokenService } from '../servers/token-services.ts'

const CONNECTIONS = 64

export const refreshHttpBench: Bench = {
  name: 'refresh-http',
  title: `Refresh over HTTP, ${CONNECTIONS} connections`,
  run: ({ full, postgresUrl }) =>
    withDatabase(postgresUrl, async (url) => {
      const guard = await openGuard(postgres({ url }))
      const { run, end } = sqlOn(url)
      const workers: Worker[] = []
      try {
        const sessions = await signIn(guard, await addMembers(run, CONNECTIONS))
        await guard.close()
        const json = (path: string) =>
          requestText(
            'POST',
            path,
            { 'content-type': 'application/json', 'user-agent': USER_AGENT },
            '{"refreshToken":"{token}"}',
          )
        const form = requestText(
          'POST',
          '/token',
          { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': USER_AGENT },
          `grant_type=refresh_token&client_id=${CLIENT_ID}&refresh_token={token}`,
        )
        const target = async (kind: string, request: string, tokenField: string): Promise<Target> => {
          const server = startWorker('./servers/token-services.ts')
          workers.push(server)
          const told = { kind, url, secret: SECRET, sessions: CONNECTIONS } satisfies StartTokenService
          const { port, tokens } = await server.call<StartedTokenService>('start', told)
          const own = tokens.length > 0 ? tokens : sessions.map(({ refreshToken }) => refreshToken)
          return { server, port, connections: own.map((token) => ({ request, token, tokenField })) }
        }
        const ours = await target('service', json('/api/auth/refresh'), 'refreshToken')
        const plain = await target('plain', json('/refresh'), 'refreshToken')
        const oidc = await target('oidc', form, 'refresh_token')
        const generator = startWorker('./load/generator.ts')
        workers.push(generator)
        const milliseconds = full ? 10_000 : 2_500
        // The server does so by itself within a minute of a table's growing.
        await administer(url, 'analyze')
        await settle(url)
        const figures = await byTurns(
          [
            { name: 'ours: the service', run: () => putLoad(generator, ours, milliseconds) },
            { name: 'node-oidc-provider', run: () => putLoad(generator, oidc, milliseconds) },
            { name: 'five statements + jose', run: () => putLoad(generator, plain, milliseconds) },
          ],
          full ? 5 : 3,
          '/s',
        )
        const [service, provider, five] = figures as [Figure, Figure, Figure]
        const p99 = { name: 'p99', unit: 'ms' }
        return {
          figures,
          comparisons: [
            compare('refresh over HTTP', service, provider, { kind: 'at least', value: 3 }),
            compare('refresh over HTTP, p99', service, provider, { kind: 'at most', value: 0.25 }, p99),
            compare('refresh over HTTP', service, five),
            compare('refresh over HTTP, p99', service, five, undefined, p99),
          ],
        }
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()))
        await end()
      }
    }),
}
