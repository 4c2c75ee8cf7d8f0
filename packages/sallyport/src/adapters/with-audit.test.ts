/**
 * `withAudit` in each framework, over real requests: one row for each, of its success or of its failure, before the answer.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import type { Context } from 'hono'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { defineActions } from '../audit/define-actions.ts'
import { SallyportError } from '../errors.ts'
import type { TestEngine, TestSession } from '../testing/test-engine.ts'
import { testEngine } from '../testing/test-engine.ts'
import { expressAudit } from './express.ts'
import { fastifyAudit } from './fastify.ts'
import { honoAudit } from './hono.ts'

const actions = defineActions({ PAYOUT_RELEASED: { security: true } })
const action = actions.PAYOUT_RELEASED.action

interface Server {
  readonly url: string
  close(): Promise<void>
}

/** What the handlers do, told by the path. */
function outcomeOf(id: string | undefined): { readonly status: number } {
  if (id === 'thrown') throw new SallyportError('FORBIDDEN', 'not yours')
  if (id === 'broken') throw new Error('a bug')
  return { status: id === 'refused' ? 422 : 200 }
}

type Open = (of: TestEngine) => Promise<Server>

const FRAMEWORKS: Readonly<Record<string, Open>> = {
  async Express({ instance }) {
    const withAudit = expressAudit(instance)
    const app = express()
    app.post(
      '/payouts/:id',
      withAudit(
        (request: express.Request, response: express.Response) => {
          response.status(outcomeOf(request.params['id'] as string).status).json({ ok: true })
        },
        { action, resource: 'payout', resourceId: (request) => request.params['id'] as string },
      ),
    )
    app.use((error: unknown, _: express.Request, response: express.Response, next: express.NextFunction) => {
      if (response.headersSent) return next(error)
      response.status(error instanceof SallyportError ? error.status : 500).json({ ok: false })
    })
    const server = app.listen(0)
    await new Promise((resolve) => server.once('listening', resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => new Promise((resolve) => server.close(() => resolve())),
    }
  },

  async Fastify({ instance }) {
    const withAudit = fastifyAudit(instance)
    const app = fastify()
    app.post<{ Params: { id: string } }>(
      '/payouts/:id',
      withAudit(
        async (request: fastify.FastifyRequest<{ Params: { id: string } }>, reply: fastify.FastifyReply) => {
          reply.code(outcomeOf(request.params.id).status)
          return { ok: true }
        },
        { action, resource: 'payout', resourceId: (request) => request.params.id },
      ),
    )
    app.setErrorHandler((error, _, reply) =>
      reply.code(error instanceof SallyportError ? error.status : 500).send({ ok: false }),
    )
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() }
  },

  async Hono({ instance }) {
    const withAudit = honoAudit(instance)
    const app = new Hono()
    app.post(
      '/payouts/:id',
      withAudit((c: Context) => c.json({ ok: true }, outcomeOf(c.req.param('id')).status as 200), {
        action,
        resource: 'payout',
        resourceId: (c) => c.req.param('id'),
      }),
    )
    app.onError((error, c) => c.json({ ok: false }, (error instanceof SallyportError ? error.status : 500) as 500))
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve({
          url: `http://127.0.0.1:${port}`,
          close: () => new Promise((closed) => server.close(() => closed())),
        }),
      )
    })
  },
}

describe.each(Object.entries(FRAMEWORKS))('withAudit in %s', (_, open) => {
  let of: TestEngine
  let person: TestSession
  let server: Server
  const append = () => of.engine.store.audit.append

  beforeAll(async () => {
    of = await testEngine({ audit: { actions } })
    person = await of.signIn()
    server = await open(of)
  })
  afterAll(async () => {
    await server.close()
    await of.close()
  })
  let original: ReturnType<typeof append> | undefined
  afterEach(() => {
    if (original !== undefined) Object.assign(of.engine.store.audit, { append: original })
    original = undefined
  })

  async function release(id: string, token: string | undefined = person.accessToken) {
    const requestId = randomUUID()
    const response = await fetch(`${server.url}/payouts/${id}`, {
      method: 'POST',
      headers: {
        'x-request-id': requestId,
        'user-agent': 'test/1',
        ...(token && { authorization: `Bearer ${token}` }),
      },
    })
    await response.arrayBuffer()
    const rows = await of.rows(
      `select action, outcome, failure_reason as reason, user_id, tenant_id, session_id, resource, resource_id, user_agent,
        ip_address from audit_logs where correlation_id = $1`,
      [requestId],
    )
    return { status: response.status, rows }
  }

  test('a success leaves one row that says who, what, which and from where', async () => {
    const { status, rows } = await release('7')
    expect(status).toBe(200)
    expect(rows).toEqual([
      {
        action: 'PAYOUT_RELEASED',
        outcome: 'SUCCESS',
        reason: null,
        user_id: person.userId,
        tenant_id: person.tenantId,
        session_id: person.session.id,
        resource: 'payout',
        resource_id: '7',
        user_agent: 'test/1',
        ip_address: '127.0.0.1',
      },
    ])
  })

  test.each([
    ['refused', 422, 'HTTP_422'],
    ['thrown', 403, 'FORBIDDEN'],
    ['broken', 500, 'INTERNAL'],
  ])('a failure that is %s leaves one row', async (id, status, reason) => {
    const { status: answered, rows } = await release(id)
    expect(answered).toBe(status)
    expect(rows).toMatchObject([{ outcome: 'FAIL', reason, resource_id: id, user_id: person.userId }])
  })

  test('nobody in particular is nobody in the row, and failures of theirs are counted past twenty a minute', async () => {
    expect((await release('8', '')).rows).toMatchObject([{ outcome: 'SUCCESS', user_id: null, tenant_id: null }])
    let rows = 0
    for (let n = 0; n < 25; n++) rows += (await release('refused', 'no.token.atall')).rows.length
    expect(rows).toBe(20)
  })

  test('a success that cannot be recorded is not told as one', async () => {
    original = append()
    Object.assign(of.engine.store.audit, {
      append: () => Promise.reject(new SallyportError('UNAVAILABLE', 'the database did not answer')),
    })
    expect((await release('9')).status).toBe(503)
  })

  test('a refusal that cannot be recorded stands', async () => {
    original = append()
    Object.assign(of.engine.store.audit, {
      append: () => Promise.reject(new SallyportError('UNAVAILABLE', 'the database did not answer')),
    })
    expect((await release('refused')).status).toBe(422)
  })
})
