/**
 * Whether an account exists must not show in how long an answer takes. `npm run timing` takes 2,000 samples each and holds the medians
 * to 2 ms; every run of the tests takes a few and holds them to what would show that a hash or a write is left out on one side.
 */

import { deepEqual, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Answer, Nodes } from '../support/nodes.ts'
import { startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const SAMPLES = Number(process.env['SALLYPORT_TIMING_SAMPLES'] ?? 60)
const IS_FULL = SAMPLES >= 2000
/** A hash of a password takes some 60 ms, and a durable row some 2. */
const MOST_MS = IS_FULL ? 2 : 15
const TIMEOUT_MS = 60_000 + SAMPLES * 1000
const PASSWORD = 'violet anchors hum below'

type Ask = (email: string) => Promise<Answer>

describe.skipIf(!hasPostgres)('an account that exists is answered like one that does not, in words and in time', () => {
  let nodes: Nodes
  let verifying: Nodes
  const known: string[] = []
  beforeAll(async () => {
    nodes = await startNodes(1)
    verifying = await startNodes(1, { signUp: { verifyEmailFirst: true } })
    // Of several tenants: what is counted for one of them must not show in what the others are answered.
    for (let count = 0; count < 10; count++) {
      const email = `${randomUUID()}@example.com`
      const body = { email, password: PASSWORD, name: 'Ada', tenantName: `Timing ${count}` }
      ok((await nodes.send('POST', '/auth/sign-up', body)).status === 201)
      known.push(email)
    }
  }, 120_000)
  afterAll(async () => {
    await nodes?.close()
    await verifying?.close()
  })

  test.each<[string, Ask]>([
    [
      'sign-in with a wrong password',
      (email) => nodes.send('POST', '/auth/login', { email, password: 'a wrong password of some length' }),
    ],
    ['a reset that is asked for', (email) => nodes.send('POST', '/auth/password/reset-request', { email })],
  ])('%s', async (_what, ask) => alike(ask, known), TIMEOUT_MS)

  test(
    'sign-up where addresses are verified first',
    async () => {
      const ask: Ask = (email) =>
        verifying.send('POST', '/auth/sign-up', { email, password: PASSWORD, name: 'Ada', tenantName: 'Timing' })
      const taken = `${randomUUID()}@example.com`
      await ask(taken)
      const token = verifying.mails.findLast(({ to }) => to === taken)?.token
      ok((await verifying.send('POST', '/auth/email/verify', { token })).status === 200)
      await alike(ask, [taken])
    },
    TIMEOUT_MS,
  )
})

/** In turn, each pair the other way about than the one before: whatever the machine does beside this, it does to both. */
async function alike(ask: Ask, known: readonly string[]): Promise<void> {
  const existing: number[] = []
  const missing: number[] = []
  const answers = new Set<string>()
  const take = async (into: number[], email: string): Promise<void> => {
    const began = performance.now()
    const { status, body, headers } = await ask(email)
    into.push(performance.now() - began)
    headers.delete('x-request-id')
    headers.delete('set-cookie')
    answers.add(JSON.stringify([status, { ...body, requestId: undefined }, [...headers]]))
  }
  for (let sample = -3; sample < SAMPLES; sample++) {
    const one = () => take(existing, known[(sample + 3) % known.length] as string)
    const other = () => take(missing, `${randomUUID()}@example.com`)
    for (const next of sample % 2 === 0 ? [one, other] : [other, one]) await next()
    // The first few warm up what is read once.
    if (sample < 0) existing.length = missing.length = 0
  }
  deepEqual([existing.length, missing.length, answers.size], [SAMPLES, SAMPLES, 1])
  const [here, there] = [median(existing), median(missing)]
  const apart = Math.abs(here - there)
  if (IS_FULL) console.info(`existing ${here.toFixed(2)} ms, missing ${there.toFixed(2)} ms: ${apart.toFixed(2)} apart`)
  ok(apart <= MOST_MS, `existing ${here} ms, missing ${there} ms`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2
}
