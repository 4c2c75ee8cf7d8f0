/**
 * What tells one kind of JWT from every other, so that none is accepted in the place of another (RFC 8725, section 3.12).
 *
 * @module
 */

/** The claims that every token of this server has. */
export interface CommonClaims {
  readonly iss: string
  readonly aud: string
  readonly exp: number
  readonly iat: number
}

/**
 * A kind of token. Its `typ` MUST be its own: it is all that keeps two kinds apart that are signed by the same keys.
 */
export interface TokenKind<Claims extends CommonClaims> {
  /** The header's `typ`, compared exactly. */
  readonly typ: `${string}+jwt`
  /**
   * Reads the payload of a token whose signature, issuer, audience and times hold.
   *
   * @returns The claims, or `undefined` for a payload that is not of this kind. Copy what is known by name: what
   *   else the payload has does not belong to the claims.
   */
  read(payload: Readonly<Record<string, unknown>>, common: CommonClaims): Claims | undefined
}
