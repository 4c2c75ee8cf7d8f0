/**
 * Sends requests to the API, and reads what it answers.
 *
 * @module
 */

import type { ErrorCode } from './errors.ts'
import { SallyportError } from './errors.ts'
import type { Operations } from './generated/api.ts'
import { OPERATIONS } from './generated/operations.ts'
import type { KeyBinding } from './key-binding.ts'
import type { Platform } from './platform.ts'

export interface SendOptions {
  /** The bearer token. */
  readonly token?: string | undefined
  /** Defaults to one of `TIMEOUT_MS`; `null` for none. */
  readonly signal?: AbortSignal | null
  readonly proof?: string | undefined
  readonly credentials?: RequestCredentials
}

/** Sends one operation. Rejects with `SallyportError`, or with the reason of the caller's signal. */
export type Send = <Name extends keyof Operations>(
  name: Name,
  input: Operations[Name]['input'],
  options?: SendOptions,
) => Promise<Operations[Name]['output']>

/** What a rule of the table reads as: all of it, the method, the star of a file, the path. */
type Rule = readonly [string, string, string, string]

/** How long an answer with tokens is waited for: less than the service takes a late tab for one that raced (`retry.overlap`). */
const TIMEOUT_MS = 8000

/** @param base The address of the API, base path included. */
export function service(platform: Platform, fetch: Platform['fetch'], base: string, key: KeyBinding): Send {
  return async (name, input, { token, signal, proof, credentials = 'include' } = {}) => {
    const [, method, isFile, path] = /(\w+)(\*?)(.*)/.exec(OPERATIONS[name]) as unknown as Rule
    const fields: Record<string, unknown> = { ...input }
    let url =
      base +
      path.replace(/\{(\w+)\}/g, (_, field: string) => {
        const value = fields[field]
        delete fields[field]
        return encodeURIComponent(value as string)
      })
    // As JSON, what is undefined is left out.
    const body = JSON.stringify(fields)
    const hasBody = !/^g/i.test(method)
    if (!hasBody) url = `${url}?${new URLSearchParams(JSON.parse(body) as Record<string, string>)}`.replace(/\?$/, '')

    try {
      const headers = {
        ...(hasBody && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(proof && { dpop: proof }),
      }
      const answer = await fetch(url, {
        method: method.toUpperCase(),
        headers,
        body: hasBody ? body : null,
        credentials,
        signal: signal === undefined ? (platform.AbortSignal.timeout?.(TIMEOUT_MS) ?? null) : signal,
      })
      key.learn(answer)
      if (!answer.ok) throw await refusalOf(answer)
      return (isFile ? answer : await answer.json()) as never
    } catch (cause) {
      throw failure(cause, signal)
    }
  }
}

/** What a request failed by, as it is told. */
export function failure(cause: unknown, signal: AbortSignal | null | undefined): unknown {
  if (cause instanceof SallyportError) return cause
  return signal?.aborted ? signal.reason : new SallyportError('NETWORK', 'no answer', { cause })
}

/** The refusal in an answer: a problem document (RFC 9457), or whatever else came in its place. Rejects where it breaks off. */
export async function refusalOf(answer: Response): Promise<SallyportError> {
  const { status, headers } = answer
  const isProblem = headers.get('content-type')?.includes('json')
  const facts = Object(isProblem && (await answer.json()))
  const { error = 'UNEXPECTED', detail = `answered ${status}`, requestId } = facts
  // A proxy says it in the header alone.
  const retryAfter = Number(headers.get('retry-after')) || undefined
  return new SallyportError(error as ErrorCode, detail as string, {
    status,
    facts: { retryAfter, ...facts },
    requestId: requestId as string,
  })
}
