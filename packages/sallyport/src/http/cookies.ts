/**
 * The cookies that carry a session's refresh token, and the requests that they are believed in.
 *
 * @module
 */

import { invalidField, SallyportError } from '../errors.ts'
import type { Settings } from '../options.ts'

type CookieRules = Pick<Settings, 'cookie' | 'issuer' | 'allowedOrigins'>

/** Tells scripts when the newest tokens were issued, and nothing else. */
const ISSUED_AT = 'iat'

/** A refresh token that came as a cookie, and the name that it came under. */
export interface PresentedCookie {
  readonly name: string
  readonly token: string
}

/**
 * The refresh token in the request's cookies. Where it is there the request must come from a page of ours: a browser sends
 * cookies along with whatever any page asks of it.
 *
 * @param convention Whether the name of the convention endpoints counts too.
 * @throws SallyportError `CSRF_REFUSED`; `INVALID_REQUEST` for a name that is there twice, as another subdomain could arrange.
 */
export function sessionCookie(
  rules: CookieRules,
  headers: Headers,
  { convention = false }: { readonly convention?: boolean } = {},
): PresentedCookie | undefined {
  const header = headers.get('cookie')
  if (header === null) return undefined
  const names = convention ? [rules.cookie.name, rules.cookie.conventionName] : [rules.cookie.name]
  for (const name of names) {
    const values = valuesOf(header, name)
    if (values.length > 1) throw invalidField('cookie', `holds ${name} more than once`)
    const [token] = values
    if (token === undefined || token === '') continue
    if (!isFromOurPages(rules, headers)) throw csrfRefused()
    return { name, token }
  }
  return undefined
}

/**
 * For requests that bring no cookie yet and will be given one: refuses those that a foreign page has a browser make, which
 * could else sign a person in to somebody else's account. A client that is no browser says neither, and nothing can be ridden on.
 */
export function refuseForeignPage(rules: CookieRules, headers: Headers): void {
  if (!headers.has('origin') && !headers.has('sec-fetch-site')) return
  if (!isFromOurPages(rules, headers)) throw csrfRefused()
}

/** `Origin` is in the list; else the browser itself says that the page is of this very origin. */
function isFromOurPages({ issuer, allowedOrigins }: CookieRules, headers: Headers): boolean {
  const origin = headers.get('origin')
  if (origin !== null && isOurs({ issuer, allowedOrigins }, origin)) return true
  const site = headers.get('sec-fetch-site')
  // `none`: the person's own doing, such as a reload; with an Origin it is a page's.
  return site === 'same-origin' || (site === 'none' && origin === null)
}

/** Whether pages of this origin may call with credentials and read the answer. Compared as a whole: no suffix, no pattern. */
export function isOurs({ issuer, allowedOrigins }: Omit<CookieRules, 'cookie'>, origin: string): boolean {
  return origin === originOf(issuer) || allowedOrigins.includes(origin)
}

const origins = new Map<string, string>()

/** Parsed once: it is asked for at every request of a browser. */
function originOf(issuer: string): string {
  const known = origins.get(issuer)
  if (known !== undefined) return known
  const { origin } = new URL(issuer)
  if (origins.size < 100) origins.set(issuer, origin)
  return origin
}

/** The `Set-Cookie` lines of fresh tokens. */
export function freshCookies(
  { cookie }: CookieRules,
  issued: { readonly refreshToken: string; readonly issuedAtMs: number; readonly maxAgeMs: number },
  name: string = cookie.name,
): readonly string[] {
  const seconds = Math.max(1, Math.floor(issued.maxAgeMs / 1000))
  return [
    `${name}=${issued.refreshToken}; ${attributes(cookie)}; Max-Age=${seconds}; HttpOnly`,
    `${ISSUED_AT}=${issued.issuedAtMs}; ${attributes(cookie)}; Max-Age=${seconds}`,
  ]
}

/** The `Set-Cookie` lines that take the cookies away. */
export function clearedCookies({ cookie }: CookieRules, names: readonly string[] = [cookie.name]): readonly string[] {
  return [
    ...names.map((name) => `${name}=; ${attributes(cookie)}; Max-Age=0; HttpOnly`),
    `${ISSUED_AT}=; ${attributes(cookie)}; Max-Age=0`,
  ]
}

/** Under which names a browser keeps the session's token: the configured one, and the convention's where it came along. */
export function sessionCookieNames({ cookie }: CookieRules, headers: Headers): readonly string[] {
  const convention = valuesOf(headers.get('cookie') ?? '', cookie.conventionName).length > 0
  return convention ? [cookie.name, cookie.conventionName] : [cookie.name]
}

/** SameSite is always said: without it browsers let a cookie of the last two minutes ride on a foreign page's POST. */
function attributes({ domain, secure }: Settings['cookie']): string {
  const parts = ['Path=/', ...(domain === undefined ? [] : [`Domain=${domain}`]), 'SameSite=Lax']
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ')
}

function valuesOf(header: string, name: string): readonly string[] {
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) return []
    return [pair.slice(equals + 1).trim()]
  })
}

function csrfRefused(): SallyportError {
  return new SallyportError('CSRF_REFUSED', 'With cookies this is answered to pages of the allowed origins alone.')
}
