/**
 * The few calls that the story makes, over plain HTTP.
 *
 * @module
 */

/** A device: its own user agent, and the tokens it was given. */
export interface Device {
  readonly name: string
  readonly userAgent: string
  accessToken: string
  refreshToken: string
}

export interface Answer {
  readonly status: number
  /** The stable code of a refusal. */
  readonly error: string | undefined
  // oxlint-disable-next-line typescript/no-explicit-any -- the story reads whatever the API answers, and checks it as it goes
  readonly body: any
  readonly headers: Headers
}

/** Calls the service. A body makes it a POST unless a method is named. */
export async function call(
  base: string,
  path: string,
  options: {
    readonly method?: string
    readonly body?: unknown
    readonly device?: Pick<Device, 'userAgent'> & Partial<Device>
    readonly bearer?: string
  } = {},
): Promise<Answer> {
  const { body, device } = options
  const bearer = options.bearer ?? device?.accessToken
  const response = await fetch(`${base}${path}`, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      'user-agent': device?.userAgent ?? 'lifecycle/1.0',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed = text === '' ? {} : JSON.parse(text)
  return { status: response.status, error: parsed.error, body: parsed, headers: response.headers }
}
