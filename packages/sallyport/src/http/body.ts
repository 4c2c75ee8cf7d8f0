/**
 * Reads the body of a request: JSON only, and never more of it than the limit.
 *
 * @module
 */

import { invalidField, SallyportError } from '../errors.ts'
import { decodeUtf8, parseJson } from './json.ts'
import { parseQuery } from './query.ts'

/** No body of this API comes near it. */
export const MAX_BODY_BYTES = 64 * 1024

// RFC 8259 section 8.1: between systems JSON is UTF-8, so another charset is another type.
const TYPES = {
  json: { name: 'application/json', pattern: /^application\/json[\t ]*(?:;[\t ]*charset="?utf-8"?[\t ]*)?$/i },
  form: {
    name: 'application/x-www-form-urlencoded',
    pattern: /^application\/x-www-form-urlencoded[\t ]*(?:;[\t ]*charset="?utf-8"?[\t ]*)?$/i,
  },
} as const
type BodyType = keyof typeof TYPES

/** Refuses by the headers alone what need not be read: a body too large, or of another type. */
export function checkBodyHeaders(request: Request, bodyType: BodyType): void {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > MAX_BODY_BYTES) throw tooLarge()
  const type = request.headers.get('content-type')
  // A server may hand over an empty stream for a DELETE that came with nothing: whether there is a body shows when it is read.
  if (type === null && (length === '0' || length === null)) return
  if (type === null || !TYPES[bodyType].pattern.test(type)) throw otherType(bodyType)
}

/** The value in the body. An empty one reads as `{}`: what is missing is then named by the fields that are required. */
export async function readBody(request: Request, bodyType: BodyType): Promise<unknown> {
  const bytes = await readBytes(request)
  if (bytes.byteLength === 0) return {}
  if (request.headers.get('content-type') === null) throw otherType(bodyType)
  return bodyType === 'json' ? parseJson(bytes) : parseQuery(decodeUtf8(bytes), MAX_BODY_BYTES)
}

async function readBytes(request: Request): Promise<Uint8Array> {
  try {
    // A declared length is held to by every HTTP parser, so the short way is safe; it is checked all the same.
    if (request.headers.get('content-length') !== null) {
      const bytes = new Uint8Array(await request.arrayBuffer())
      if (bytes.byteLength > MAX_BODY_BYTES) throw tooLarge()
      return bytes
    }
    return await readStream(request.body)
  } catch (error) {
    if (error instanceof SallyportError) throw error
    // The client went away or broke the framing: its fault, and nobody reads the answer.
    throw invalidField('body', 'could not be read')
  }
}

async function readStream(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  if (body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    // Leaving the loop cancels the stream, so the rest is never received.
    if (size > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function otherType(bodyType: BodyType): SallyportError {
  return new SallyportError('UNSUPPORTED_MEDIA_TYPE', `Content-Type must be ${TYPES[bodyType].name}.`)
}

function tooLarge(): SallyportError {
  return new SallyportError('PAYLOAD_TOO_LARGE', `The body must not be larger than ${MAX_BODY_BYTES} bytes.`)
}
