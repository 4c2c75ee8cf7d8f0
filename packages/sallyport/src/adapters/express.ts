/**
 * Sallyport in an Express app.
 *
 * @module
 */

import type { Audited, AuditedOptions, AuditingGuard, AuditMeta } from './audited.ts'
import { auditRequest, headersOf } from './audited.ts'

/** The part of an Express request that is used. Declared here, so that Express stays the host's choice. */
export interface ExpressRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** The part of an Express response that is used. */
export interface ExpressResponse {
  statusCode: number
  readonly headersSent: boolean
  // oxlint-disable-next-line typescript/no-explicit-any -- Node's own overloads, passed on as they come
  end: (...given: any[]) => any
  destroy(error?: Error): unknown
}

type Next = (error?: unknown) => void

/**
 * Makes `withAudit` for an instance: a handler that it wraps leaves exactly one audit row for each request, of its success or
 * of its failure. The answer is held back until the row is there.
 *
 * @example
 * const withAudit = expressAudit(guard)
 * app.post('/payouts/:id/release', requireLogin, withAudit(release, {
 *   action: actions.PAYOUT_RELEASED.action, resource: 'payout', resourceId: (req) => req.params.id,
 * }))
 */
export function expressAudit<Base extends ExpressRequest = ExpressRequest>(
  guard: AuditingGuard,
  options: AuditedOptions<Base> = {},
) {
  return function withAudit<Request extends Base, Response extends ExpressResponse>(
    handler: (request: Request, response: Response, next: Next) => unknown,
    meta: AuditMeta<Request>,
  ): (request: Request, response: Response, next: Next) => Promise<void> {
    return async function audited(request, response, next) {
      const seen = { headers: headersOf(request.headers), remoteAddress: request.socket.remoteAddress }
      const row = await auditRequest(guard, options as AuditedOptions<Request>, meta, request, seen)
      const release = holdBack(response, row, next)
      const fail = async (error: unknown): Promise<void> => {
        if (release()) await row.end({ error })
        next(error)
      }
      try {
        await handler(request, response, (error) => void (error === undefined ? next() : fail(error)))
      } catch (error) {
        await fail(error)
      }
    }
  }
}

/** Keeps the end of the answer until the row is written. @returns Lets it go without a row; whether there was none yet. */
function holdBack(response: ExpressResponse, row: Audited, next: Next): () => boolean {
  const { end } = response
  let ended = false
  const release = (): boolean => {
    const first = !ended
    ended = true
    response.end = end
    return first
  }
  const record = async (given: unknown[]): Promise<void> => {
    try {
      await row.end({ status: response.statusCode })
    } catch (error) {
      // What cannot be recorded has not happened: the host's error handler answers in its place, where it still can.
      if (response.headersSent) response.destroy(error instanceof Error ? error : undefined)
      else next(error)
      return
    }
    end.apply(response, given)
  }
  response.end = (...given) => {
    release()
    void record(given)
    return response
  }
  return release
}
