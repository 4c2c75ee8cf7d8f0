/**
 * What the load generator is told to do.
 *
 * @module
 */

export interface LoadPlan {
  readonly port: number
  readonly milliseconds: number
  readonly connections: readonly ConnectionPlan[]
}

export interface ConnectionPlan {
  /** The request in full, head and body. `{token}` stands for the newest token, `{length}` for the length of the body. */
  readonly request: string
  /** The token of the first request, where there is one. */
  readonly token?: string
  /** The member of a JSON answer that holds the next token. Without it the same request is sent again and again. */
  readonly tokenField?: string
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Answers other than 200. */
  readonly failures: number
  /** The first of those, to see what went wrong. */
  readonly firstFailure: string | undefined
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** What the generator itself used, as a share of one core: near 1 it measures itself. */
  readonly generatorCore: number
  /** The newest token of each connection, to go on with. */
  readonly tokens: readonly (string | undefined)[]
}

/** A request whose body, if any, is text. */
export function requestText(
  method: 'GET' | 'POST',
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push('content-length: {length}')
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}
