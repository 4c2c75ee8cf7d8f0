/**
 * The public keys that verify access tokens, for resource servers in any language.
 *
 * @module
 */

import { z } from 'zod'
import { jwks } from '../../access-tokens/jwks.ts'
import type { Route } from '../route.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

export const keyRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/.well-known/jwks.json',
    name: 'getJwks',
    tag: 'Service to service',
    summary: 'The keys that verify access tokens (RFC 7517), the one that will sign next included.',
    auth: 'none',
    mutates: false,
    responses: {
      200: {
        description: 'The key set.',
        body: z.strictObject({ keys: z.array(z.record(z.string(), z.string())) }),
      },
    },
    errors: ['UNAVAILABLE'],
    async handle({ guard }) {
      return {
        status: 200,
        body: { keys: jwks(guard.engine.keys).keys.map((key) => ({ ...key })) },
        // Minutes, not hours: a key that was revoked must leave caches soon. The next key is there before it signs.
        headers: { 'cache-control': 'public, max-age=300' },
      }
    },
  }),
]
