/**
 * Reads the `DPoP` header of a request (RFC 9449 section 4.1).
 *
 * @module
 */

/**
 * Every proof that came. Header fields of one name reach us joined by commas, and no proof has one in it, so that several are seen as
 * several; an empty field is a proof too, and a bad one.
 */
export function dpopProofs(headers: Headers): readonly string[] | undefined {
  const value = headers.get('dpop')
  return value?.split(',').map((proof) => proof.trim())
}
