/**
 * The whole HTTP API: every resource's routes, served by one handler over one instance.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ObservedRoute } from '../evidence/checklist/control.ts'
import { checkImpersonation } from '../impersonation/limits.ts'
import type { Settings } from '../options.ts'
import type { Purpose } from '../step-up/purposes.ts'
import { requireStepUp } from '../step-up/require.ts'
import { authenticate } from '../sessions/authenticate.ts'
import type { FetchHandler } from './app.ts'
import { createHandler } from './app.ts'
import { withOrigins } from './cors.ts'
import type { Connection } from './client-address.ts'
import type { HttpEngine } from './engine.ts'
import { problem } from './problem.ts'
import { requestFacts } from './request-facts.ts'
import type { Route } from './route.ts'
import { headersOf } from './security-headers.ts'
import { auditRoutes } from './routes/audit.ts'
import { authRoutes } from './routes/auth.ts'
import { complianceRoutes } from './routes/compliance.ts'
import type { ApiEngine } from './routes/engine.ts'
import { impersonationRoutes } from './routes/impersonation.ts'
import { ipRuleRoutes } from './routes/ip-rules.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { keyRoutes } from './routes/keys.ts'
import { mfaRoutes } from './routes/mfa.ts'
import { documentationRoutes } from './routes/openapi.ts'
import { overviewRoutes } from './routes/overview.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { settingsRoutes } from './routes/settings.ts'
import { stepUpRoutes } from './routes/step-up.ts'
import { teamRoutes } from './routes/team.ts'
import { tokenRoutes } from './routes/tokens.ts'

/** Every route, in the order in which the documentation shows them. */
export const API_ROUTES: readonly Route<ApiEngine>[] = [
  ...authRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  ...stepUpRoutes,
  ...mfaRoutes,
  ...overviewRoutes,
  ...incidentRoutes,
  ...teamRoutes,
  ...auditRoutes,
  ...complianceRoutes,
  ...impersonationRoutes,
  ...ipRuleRoutes,
  ...settingsRoutes,
  ...keyRoutes,
]

/** The same, as far as the checklist looks at them. */
export const OBSERVED_ROUTES: readonly ObservedRoute[] = API_ROUTES.map(
  ({ method, path, mutates, permission, stepUp, audit }) => ({
    method,
    path,
    mutates,
    permission: permission !== undefined,
    stepUp,
    actions: audit?.actions ?? [],
  }),
)

export interface ApiDeps {
  readonly settings: Settings
  /** `undefined` until the instance has started. */
  readonly engine: () => Engine | undefined
  readonly start: () => Promise<void>
}

/** Builds the handler. A request that comes before the instance has started starts it; while it cannot, the answer is 503. */
export function apiHandler({ settings, engine, start }: ApiDeps): FetchHandler {
  const { basePath } = settings
  const always = headersOf(settings)
  let handle: FetchHandler | undefined

  async function first(request: Request, connection?: Connection): Promise<Response> {
    try {
      await start()
    } catch (cause) {
      const error = new SallyportError('UNAVAILABLE', 'the service is not ready; try again', {
        facts: { retryAfter: 1 },
        cause,
      })
      return problem(error, {
        requestId: requestFacts(request, connection).correlationId,
        basePath,
        always,
      })
    }
    const parts = engine()
    if (parts === undefined) throw new TypeError('sallyport: started without an engine')
    handle ??= createHandler({
      guard: httpEngine(parts),
      routes: [...API_ROUTES, ...documentationRoutes(API_ROUTES, { basePath })],
      basePath,
      edge: settings,
      always,
    })
    return handle(request, connection)
  }

  return withOrigins((request, connection) => (handle ?? first)(request, connection), settings)
}

/** The engine as the HTTP layer and the routes ask of it. */
export function httpEngine(engine: Engine): ApiEngine {
  return {
    engine,
    authenticate(credential, request) {
      const { token, proof } = credential ?? {}
      return authenticate(engine, token, proof === undefined ? request : { ...request, proof })
    },
    // A route's purpose was checked when it was declared; that it is registered, requireStepUp checks.
    requireStepUp: (caller, purpose) => requireStepUp(engine, caller, purpose as Purpose),
    checkImpersonation: (caller, rule) => checkImpersonation(engine, caller, rule),
    recordFailure: ({ action, code, caller, request, resource, resourceId, metadata }) => {
      const event = {
        ...(caller === undefined ? { tenantId: null } : actor(caller)),
        action,
        outcome: 'FAIL' as const,
        failureReason: code,
        ...(resource === undefined ? {} : { resource }),
        resourceId,
        ...(metadata === undefined ? {} : { metadata }),
        request,
      }
      // One row each for those who are known; strangers are counted beyond the first few.
      if (caller === undefined) return engine.refusals.record(event)
      return engine.store.audit.append([auditRow(event, engine.live.date())])
    },
    log: { error: (message, fields) => engine.log.error(fields, message) },
  } satisfies HttpEngine & { readonly engine: Engine }
}
