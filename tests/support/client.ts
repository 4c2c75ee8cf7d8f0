/**
 * A client of the HTTP API that keeps its connections open: for tests that send many requests at once.
 *
 * @module
 */

import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 128 })

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects and fails where it is not there
  readonly body: any
}

export interface SignedInClient {
  readonly email: string
  readonly password: string
  readonly userId: string
  readonly sessionId: string
  accessToken: string
  refreshToken: string
}

const PASSWORD = 'eleven grey herons at dawn'
let made = 0

/** Sends JSON, and reads JSON. Rejects when there was no whole answer. */
export function send(
  url: string,
  path: string,
  options: {
    readonly method?: string
    readonly body?: unknown
    readonly token?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body)
  return new Promise((resolve, reject) => {
    const sent = request(
      url + path,
      {
        agent,
        method: options.method ?? (payload === undefined ? 'GET' : 'POST'),
        headers: {
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
          ...options.headers,
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          if (!response.complete) return reject(new Error('the answer was cut'))
          try {
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: text === '' ? undefined : JSON.parse(text),
            })
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        })
      },
    )
    sent.on('error', reject)
    sent.end(payload)
  })
}

/** Signs a new tenant up. */
export async function signUp(url: string): Promise<SignedInClient> {
  const email = `person-${process.pid}-${++made}@example.com`
  const answer = await send(url, '/api/auth/sign-up', {
    body: { email, password: PASSWORD, name: 'Petra', tenantName: `Tenant ${made}` },
  })
  if (answer.status !== 201) throw new Error(`sign-up: ${answer.status} ${JSON.stringify(answer.body)}`)
  return signedIn(email, answer)
}

/** Signs the same person in once more: another session. */
export async function signInAgain(url: string, { email }: SignedInClient): Promise<SignedInClient> {
  const answer = await send(url, '/api/auth/login', { body: { email, password: PASSWORD } })
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`)
  return signedIn(email, answer)
}

/** Sends one refresh token; what is done with the answer is the test's. */
export function refresh(url: string, refreshToken: string): Promise<Answer> {
  return send(url, '/api/auth/refresh', { body: { refreshToken } })
}

/** Who am I: a request that changes nothing. */
export function me(url: string, token: string): Promise<Answer> {
  return send(url, '/api/auth/me', { token })
}

function signedIn(email: string, { body }: Answer): SignedInClient {
  return {
    email,
    password: PASSWORD,
    userId: body.user.id,
    sessionId: body.session.id,
    accessToken: body.accessToken,
    refreshToken: body.refreshToken,
  }
}
