/**
 * Sallyport in a Hono app.
 *
 * @module
 */

import type { AuditedOptions, AuditingGuard, AuditMeta } from './audited.ts'
import { auditRequest } from './audited.ts'

/** The part of a Hono context that is used. Declared here, so that Hono stays the host's choice. */
export interface HonoContext {
  readonly req: { readonly raw: { readonly headers: Headers } }
  readonly env?: unknown
}

export interface HonoAuditOptions<Context> extends AuditedOptions<Context> {
  /** The socket's peer, by the runtime that the app is on. Defaults to what `@hono/node-server` tells. */
  readonly remoteAddressOf?: (context: Context) => string | undefined
}

/**
 * Makes `withAudit` for an instance: a handler that it wraps leaves exactly one audit row for each request, of its success or
 * of its failure, before the answer goes out.
 *
 * @example
 * const withAudit = honoAudit(guard)
 * app.post('/payouts/:id/release', withAudit((c: Context) => release(c), {
 *   action: actions.PAYOUT_RELEASED.action, resource: 'payout', resourceId: (c) => c.req.param('id'),
 * }))
 */
export function honoAudit<Base extends HonoContext = HonoContext>(
  guard: AuditingGuard,
  { remoteAddressOf = peerOfNode, ...options }: HonoAuditOptions<Base> = {},
) {
  return function withAudit<Context extends Base, Next, Answer extends { readonly status: number }>(
    handler: (context: Context, next: Next) => Answer | Promise<Answer>,
    meta: AuditMeta<Context>,
  ): (context: Context, next: Next) => Promise<Answer> {
    return async function audited(context, next) {
      const seen = { headers: context.req.raw.headers, remoteAddress: remoteAddressOf(context) }
      const row = await auditRequest(guard, options as AuditedOptions<Context>, meta, context, seen)
      let answer: Answer
      try {
        answer = await handler(context, next)
      } catch (error) {
        await row.end({ error })
        throw error
      }
      await row.end({ status: answer.status })
      return answer
    }
  }
}

function peerOfNode({ env }: HonoContext): string | undefined {
  const { incoming } = (env ?? {}) as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } }
  }
  return incoming?.socket?.remoteAddress
}
