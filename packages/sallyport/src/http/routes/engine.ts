/**
 * What the routes of the API ask of the instance behind them.
 *
 * @module
 */

import type { Engine } from '../../engine.ts'
import type { HttpEngine } from '../engine.ts'
import { routesFor } from '../route.ts'

/** The HTTP layer's needs, and the parts that operations take as their first argument. */
export interface ApiEngine extends HttpEngine {
  readonly engine: Engine
}

/** Declares a route of the API. */
export const apiRoute: ReturnType<typeof routesFor<ApiEngine>> = routesFor<ApiEngine>()
