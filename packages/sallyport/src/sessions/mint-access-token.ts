/**
 * Makes the access token of a session, as the client is handed it.
 *
 * @module
 */

import type { AccessTokenSubject } from '../access-tokens/sign.ts'
import { signAccessToken } from '../access-tokens/sign.ts'
import type { Engine } from '../engine.ts'

/**
 * @param ttlMs Defaults to the life of access tokens.
 * @throws SallyportError `UNAVAILABLE` while this node does not know which key signs.
 */
export async function mintAccessToken(
  { keys, settings }: Pick<Engine, 'keys' | 'settings'>,
  subject: AccessTokenSubject,
  ttlMs: number = settings.accessTtlMs,
): Promise<{ readonly accessToken: string; readonly expiresIn: number }> {
  const { issuer, audience } = settings
  // This node's clock stamps and checks JWTs, and nothing else (30 s leeway).
  const now = new Date()
  const { token, expiresAt } = await signAccessToken(keys, { issuer, audience, ttlMs }, subject, now)
  return { accessToken: token, expiresIn: Math.max(0, Math.floor((expiresAt.getTime() - now.getTime()) / 1000)) }
}
