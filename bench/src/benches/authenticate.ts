/**
 * One request authenticated in process: a token that the node knows, and one that it has never seen.
 *
 * @module
 */

import { jwtVerify } from 'jose'
import type { Bench, Figure } from '../bench.ts'
import { withDatabase } from '../database.ts'
import { addMembers, ISSUER, openGuard, signIn } from '../fixtures.ts'
import { postgres } from '../library.ts'
import { byTurns, compare, limit, microsecondsEach } from '../measure.ts'
import { sqlOn } from '../references/sql.ts'
import { verifyingKey } from '../references/verifying-key.ts'

/** As many as fit the processor's caches no longer, and that are asked for in no order. */
const SESSIONS = 512

export const authenticateBench: Bench = {
  name: 'authenticate',
  title: 'Authenticate one request in process',
  run: ({ full, postgresUrl }) =>
    withDatabase(postgresUrl, async (url) => {
      const guard = await openGuard(postgres({ url }))
      const { run, end } = sqlOn(url)
      try {
        const tokens = (await signIn(guard, await addMembers(run, 16), SESSIONS / 16)).map((s) => s.accessToken)
        const key = await verifyingKey(run)
        for (const token of tokens) await guard.authenticate(token)
        let at = 0
        const next = (): string => tokens[(at = (at + 7) % SESSIONS)] as string
        const milliseconds = full ? 2000 : 400
        const [known, firstSight, verified] = (await byTurns(
          [
            {
              name: 'known to the node',
              run: () => ({
                value: microsecondsEach(milliseconds, 1000, () => {
                  const caller = guard.authenticate(next())
                  if (caller instanceof Promise) throw new Error('a known token was not answered from memory')
                }),
              }),
            },
            {
              name: 'first sight of a token',
              async run() {
                guard.engine.knownTokens.clear()
                const started = performance.now()
                for (const token of tokens) await guard.authenticate(token)
                return { value: ((performance.now() - started) * 1000) / SESSIONS }
              },
            },
            {
              name: 'jose.jwtVerify, Ed25519',
              async run() {
                const started = performance.now()
                let done = 0
                do {
                  for (let i = 0; i < 100; i++) await jwtVerify(next(), key, { issuer: ISSUER, algorithms: ['EdDSA'] })
                  done += 100
                } while (performance.now() - started < milliseconds)
                return { value: ((performance.now() - started) * 1000) / done }
              },
            },
          ],
          full ? 9 : 5,
          'µs',
        )) as [Figure, Figure, Figure]
        return {
          figures: [known, firstSight, verified],
          comparisons: [
            limit('authenticate, session known', 'µs', known.value, { kind: 'at most', value: 3 }),
            compare('authenticate, session known', known, verified, { kind: 'at most', value: 1 / 30 }),
            compare('authenticate, first sight of a token', firstSight, verified),
          ],
        }
      } finally {
        await end()
        await guard.close()
      }
    }),
}
