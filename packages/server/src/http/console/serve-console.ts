/**
 * Serves the console: its page for every address that is a page of it, its files under their names.
 *
 * @module
 */

import { problem } from '../answers.ts'
import type { BuiltConsole, ConsoleFile, Encoding } from './load-console.ts'
import { consoleFile, ENCODINGS } from './load-console.ts'

/** What the page is told before it asks anything. */
export interface ConsoleFacts {
  readonly basePath: string
  /** Whether anybody may make a tenant. */
  readonly signUp: boolean
  /** The path of the development outbox, for those who may see it. */
  readonly outbox: string | undefined
}

export interface ServeConsoleOptions {
  readonly built: BuiltConsole
  readonly facts: ConsoleFacts
}

/** Answers a GET or a HEAD of a path that is the console's; `undefined` for one that is not. */
export type ConsoleHandler = (
  path: string,
  request: Request,
  may: { readonly seeOutbox: boolean },
) => Response | undefined

/**
 * No script, style, image or request but the service's own; nothing may frame it, and no script may write markup: what a
 * hole in the page could still do is show the person their own data wrongly.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self), publickey-credentials-create=(self), publickey-credentials-get=(self)',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  vary: 'accept-encoding',
}

/** What is there to be read by programs; a page of the console stands under none of them. */
const NEVER_PAGES = ['/auth/', '/.well-known/', '/metrics', '/healthz', '/readyz']
const META = /<meta name="sallyport" content="[^"]*"\s*\/?>/

/** Prepares the answers. @throws TypeError for a page without the place where it is told the facts. */
export async function serveConsole({ built, facts }: ServeConsoleOptions): Promise<ConsoleHandler> {
  const { basePath, outbox } = facts
  const page = await pageOf(built, { ...facts, outbox: undefined })
  const pageWithOutbox = outbox === undefined ? page : await pageOf(built, facts)

  return function answer(path, request, { seeOutbox }) {
    const file = built.files.get(path)
    if (file !== undefined) return answerFile(file, request, { ...HEADERS, 'cache-control': cachingOf(path) })
    if (path === basePath || [`${basePath}/`, ...NEVER_PAGES].some((one) => path.startsWith(one))) return undefined
    // A name with a dot is a file that is not there: the page in its place could be cached as one (web cache deception).
    if (path.startsWith('/assets/') || path.slice(path.lastIndexOf('/')).includes('.')) {
      return problem(404, 'NOT_FOUND', 'There is nothing at this path.')
    }
    return answerFile(seeOutbox ? pageWithOutbox : page, request, { ...HEADERS, 'cache-control': 'no-cache' })
  }
}

async function pageOf({ index }: BuiltConsole, { outbox, ...facts }: ConsoleFacts): Promise<ConsoleFile> {
  if (!META.test(index))
    throw new TypeError('the console is of another version: its page has no place for the settings')
  const told = JSON.stringify({ ...facts, outbox: outbox ?? null, docs: `${facts.basePath}/docs` })
  const meta = `<meta name="sallyport" content="${escaped(told)}">`
  return consoleFile(new TextEncoder().encode(index.replace(META, () => meta)), 'text/html; charset=utf-8')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** The build names what it puts into assets/ by its content: under one name there is never another. */
function cachingOf(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
}

function answerFile(file: ConsoleFile, request: Request, headers: Readonly<Record<string, string>>): Response {
  const encoding = encodingFor(file, request.headers.get('accept-encoding'))
  const body = (encoding && file.compressed[encoding]) ?? file.plain
  const etag = `"${file.digest}${encoding === undefined ? '' : `-${encoding}`}"`
  const all = { ...headers, etag, ...(encoding !== undefined && { 'content-encoding': encoding }) }
  if (isKnown(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: all })
  return new Response(body, {
    headers: { ...all, 'content-type': file.contentType, 'content-length': String(body.length) },
  })
}

/** The smallest form that the client takes. */
function encodingFor({ compressed }: ConsoleFile, accepted: string | null): Encoding | undefined {
  if (accepted === null) return undefined
  const taken = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .filter((one) => !/;\s*q=0(?:\.0*)?\s*$/.test(one))
      .map((one) => one.split(';', 1)[0]?.trim()),
  )
  return ENCODINGS.find((encoding) => compressed[encoding] !== undefined && taken.has(encoding))
}

function isKnown(given: string | null, etag: string): boolean {
  return given?.split(',').some((one) => [etag, `W/${etag}`, '*'].includes(one.trim())) ?? false
}
