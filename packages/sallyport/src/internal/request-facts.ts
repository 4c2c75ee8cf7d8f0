/**
 * What is known of a request besides its credentials: where it came from and how it is correlated.
 *
 * @module
 */

/** Facts of one request, gathered at the edge and handed down unchanged to limits, risk and audit. */
export interface RequestFacts {
  /** The client's address as the server is entitled to believe it, IPv4-mapped IPv6 already as IPv4; `undefined` where unknown. */
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
  /** From `X-Request-Id` or `traceparent`, else made; joins all audit rows of one request. */
  readonly correlationId: string
  /** The client polls or prefetches, and no person stands behind it: such a request moves no idle limit. */
  readonly background?: boolean | undefined
  /** The client SDK's random id in storage: a risk signal, never a binding. */
  readonly deviceFingerprint?: string | undefined
  readonly deviceInfo?: Readonly<Record<string, unknown>> | undefined
  /** Hex of the hash of a device cookie that this server signed. */
  readonly deviceCookieHash?: string | undefined
  /** What a trusted proxy says of the place, where the setting `geo.headers` names its headers. */
  readonly placeHeaders?:
    | {
        readonly country?: string | undefined
        readonly city?: string | undefined
        readonly latitude?: string | undefined
        readonly longitude?: string | undefined
      }
    | undefined
}
