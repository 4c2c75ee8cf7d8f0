/**
 * `GET /api/dev/outbox`: the mails that nobody sent, for the person at this machine.
 *
 * @module
 */

import type { Outbox } from 'sallyport'
import { json, problem } from './answers.ts'

/** Answers this machine alone: the mails hold links that open accounts. */
export function answerOutbox(outbox: Outbox, request: Request, remoteAddress: string | undefined): Response {
  if (!maySeeOutbox(request, remoteAddress)) return problem(404, 'NOT_FOUND', 'There is nothing at this path.')
  const parameters = new URL(request.url).searchParams
  for (const name of parameters.keys()) {
    if (name !== 'to') return problem(400, 'INVALID_REQUEST', 'Only "to" is a parameter of this request.')
  }
  return json(200, { messages: outbox.messages(parameters.get('to') ?? undefined) })
}

/**
 * Whether a request comes from this machine: the peer must be loopback, and the request must neither have come through a
 * proxy, which makes every peer loopback, nor from a page of another site that has its name resolve to this machine (DNS
 * rebinding).
 */
export function maySeeOutbox(request: Request, remoteAddress: string | undefined): boolean {
  return isLoopback(remoteAddress) && !isForwarded(request.headers) && !isFromAnotherSite(request)
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/.test(address)
}

function isForwarded(headers: Headers): boolean {
  return headers.has('forwarded') || headers.has('x-forwarded-for')
}

function isFromAnotherSite({ url, headers }: Request): boolean {
  const host = headers.get('host') ?? new URL(url).host
  const site = headers.get('sec-fetch-site')
  return (
    !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host) ||
    (site !== null && site !== 'same-origin' && site !== 'none')
  )
}
