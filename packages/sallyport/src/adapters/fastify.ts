/**
 * Sallyport in a Fastify app.
 *
 * @module
 */

import type { AuditedOptions, AuditingGuard, AuditMeta } from './audited.ts'
import { auditRequest, headersOf } from './audited.ts'

/** The part of a Fastify request that is used. Declared here, so that Fastify stays the host's choice. */
export interface FastifyRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** The part of a Fastify reply that is used. */
export interface FastifyReply {
  readonly statusCode: number
}

/**
 * Makes `withAudit` for an instance: a handler that it wraps leaves exactly one audit row for each request, of its success or
 * of its failure. The handler returns what is to be sent, so that the row is there before the answer is; what it has sent by
 * itself is recorded afterwards.
 *
 * @example
 * const withAudit = fastifyAudit(guard)
 * app.post('/payouts/:id/release', withAudit(release, {
 *   action: actions.PAYOUT_RELEASED.action, resource: 'payout', resourceId: (request) => request.params.id,
 * }))
 */
export function fastifyAudit<Base extends FastifyRequest = FastifyRequest>(
  guard: AuditingGuard,
  options: AuditedOptions<Base> = {},
) {
  return function withAudit<Request extends Base, Reply extends FastifyReply, This = unknown>(
    handler: (this: This, request: Request, reply: Reply) => unknown,
    meta: AuditMeta<Request>,
  ): (this: This, request: Request, reply: Reply) => Promise<unknown> {
    return async function audited(request, reply) {
      const seen = { headers: headersOf(request.headers), remoteAddress: request.socket.remoteAddress }
      const row = await auditRequest(guard, options as AuditedOptions<Request>, meta, request, seen)
      let answer: unknown
      try {
        answer = await handler.call(this, request, reply)
      } catch (error) {
        await row.end({ error })
        throw error
      }
      await row.end(answer instanceof Error ? { error: answer } : { status: reply.statusCode })
      return answer
    }
  }
}
