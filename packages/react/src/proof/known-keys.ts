/**
 * The keys of logs that this browser has seen: the first that it is told of is kept, and another one later is not taken in silence.
 *
 * @module
 */

export interface KnownKey {
  readonly vkey: string
  /** ISO 8601 */
  readonly since: string
}

const PREFIX = 'sallyport.log-key.'

/** The key that is known for a log; the given one where none was known yet. Without storage nothing is known for longer than now. */
export function knownKey(origin: string, vkey: string, now: Date): KnownKey {
  const known = read(origin)
  if (known !== undefined) return known
  return trustKey(origin, vkey, now)
}

/** Keeps a key in the place of the one that was known. */
export function trustKey(origin: string, vkey: string, now: Date): KnownKey {
  const fresh = { vkey, since: now.toISOString() }
  try {
    localStorage.setItem(`${PREFIX}${origin}`, JSON.stringify(fresh))
  } catch {
    // A browser that keeps nothing checks against the key of now.
  }
  return fresh
}

function read(origin: string): KnownKey | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(`${PREFIX}${origin}`) ?? 'null')
    if (typeof kept !== 'object' || kept === null) return undefined
    const { vkey, since } = kept as Partial<KnownKey>
    return typeof vkey === 'string' && typeof since === 'string' ? { vkey, since } : undefined
  } catch {
    return undefined
  }
}
