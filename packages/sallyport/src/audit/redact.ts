/**
 * Keeps secrets out of audit rows and logs, by the name of a field and by the form of a value.
 *
 * @module
 */

const REDACTED = '[redacted]'

/** Compared without case, `_` and `-`, so that `token_hash` and `tokenHash` are one name. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'password',
  'currentpassword',
  'newpassword',
  'passwordhash',
  'secret',
  'totpsecret',
  'otpauthurl',
  'token',
  'rawtoken',
  'refreshtoken',
  'accesstoken',
  'stepuptoken',
  'tokenhash',
  'code',
  'otp',
  'codehash',
  'recoverycode',
  'recoverycodes',
  'assertion',
  'authorization',
  'cookie',
  'setcookie',
  'dpop',
  'privatekey',
  'apikey',
  'keyhash',
  'devicecookiehash',
  'nonce',
  'salt',
])

/** Refresh tokens, service keys, JWTs, one-time link tokens: what a scanner would call a leaked credential. */
const SECRET_VALUES =
  /\b(?:sprt_|spsk_|spot_)[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?|\$argon2[a-z]{1,2}\$\S+/g

/** A copy of `value` in which whatever is secret by name or by form reads `[redacted]`. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replace(SECRET_VALUES, REDACTED)
  if (typeof value !== 'object' || value === null) return value
  // Hashes, nonces and keys: no row of ours explains itself in bytes.
  if (ArrayBuffer.isView(value)) return REDACTED
  // Deeper than any row of ours: refused by the canonical form, and never walked without a bound.
  if (depth > 32) return REDACTED
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  const members: [string, unknown][] = []
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push([name, isSecret(name) ? REDACTED : redact(member, depth + 1)])
  }
  return Object.fromEntries(members)
}

function isSecret(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[_-]/g, ''))
}
