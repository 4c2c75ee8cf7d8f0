/**
 * What the adapters' `withAudit` have in common: exactly one audit row for each request of a host's own sensitive route.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import type { HostAction } from '../audit/define-actions.ts'
import type { AuditEvent } from '../audit/record.ts'
import { actor } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { requestFacts } from '../http/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'

/** What the row says of the route. */
export interface AuditMeta<Request> {
  /** A built-in action, or one of the host's from `defineActions`. */
  readonly action: AuditAction | HostAction
  /** The kind of thing that the route acts on. */
  readonly resource: string
  /** Which one: an id, or where it stands in the request. */
  readonly resourceId?: string | ((request: Request) => string | undefined)
}

/** The parts of an instance that an adapter uses. */
export interface AuditingGuard {
  readonly audit: { record(event: AuditEvent): Promise<void> }
  authenticate(token: string | undefined): Caller | Promise<Caller>
  start(): Promise<void>
  readonly engine: Pick<Engine, 'settings' | 'refusals' | 'log'>
}

export interface AuditedOptions<Request> {
  /**
   * Who is calling, where the host has established it already. Defaults to whoever the bearer token is of, which the row then
   * names; nobody is refused by that.
   */
  readonly callerOf?: (request: Request) => Caller | undefined | Promise<Caller | undefined>
}

/** What an adapter reads of a request in its framework's way. */
export interface Seen {
  readonly headers: Headers
  readonly remoteAddress: string | undefined
}

/** How a request ended: with a status, or with what was thrown. */
export type Ended = { readonly status: number } | { readonly error: unknown }

/** One request that is to leave its row. */
export interface Audited {
  /**
   * Writes the row. A refusal stands without its row where the database does not take it, since nothing was changed.
   *
   * @throws SallyportError `UNAVAILABLE` when a success could not be recorded: the host must not tell of it as one.
   */
  end(ended: Ended): Promise<void>
}

/** Begins the row of a request: who it is from is established before its handler can end the session. */
export async function auditRequest<Request>(
  guard: AuditingGuard,
  { callerOf }: AuditedOptions<Request>,
  meta: AuditMeta<Request>,
  request: Request,
  { headers, remoteAddress }: Seen,
): Promise<Audited> {
  await guard.start()
  const { engine } = guard
  const caller = await (callerOf === undefined ? callerByToken(guard, headers) : callerOf(request))
  const { action, resource, resourceId } = meta
  const event: AuditEvent = {
    ...(caller === undefined ? { tenantId: null } : actor(caller)),
    action,
    resource,
    resourceId: typeof resourceId === 'function' ? resourceId(request) : resourceId,
    request: requestFacts({ headers }, { remoteAddress }, engine.settings),
  }
  return {
    async end(ended) {
      const reason = failureOf(ended)
      if (reason === undefined) return guard.audit.record(event)
      try {
        // Failures of nobody in particular can come in floods.
        if (caller === undefined) await engine.refusals.record({ ...event, failureReason: reason })
        else await guard.audit.record({ ...event, outcome: 'FAIL', failureReason: reason })
      } catch (error) {
        engine.log.error({ err: error, action, failureReason: reason }, 'a failed request could not be recorded')
      }
    },
  }
}

async function callerByToken(guard: AuditingGuard, headers: Headers): Promise<Caller | undefined> {
  const token = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  if (token === undefined) return undefined
  try {
    return await guard.authenticate(token)
  } catch {
    // Whether that is reason to refuse is for the host's guards to say; the row then names nobody.
    return undefined
  }
}

/** The stable code of a failure, as `failure_reason` keeps it; `undefined` for a success. */
function failureOf(ended: Ended): string | undefined {
  if ('status' in ended) return ended.status < 400 ? undefined : `HTTP_${ended.status}`
  const { code } = (ended.error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'INTERNAL'
}

/** Headers as Node gives them. */
export function headersOf(given: Readonly<Record<string, string | readonly string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    // HTTP/2's own, such as ":path", are no headers of the Fetch standard.
    if (value === undefined || name.startsWith(':')) continue
    headers.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  return headers
}
