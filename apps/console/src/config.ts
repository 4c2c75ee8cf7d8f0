/**
 * What the service says of itself in the page: read once, before anything is asked of it.
 *
 * @module
 */

export interface ConsoleConfig {
  /** Where the API is mounted. */
  readonly basePath: string
  /** Whether anybody may make a tenant of their own. */
  readonly signUp: boolean
  /** The path of the development outbox; null where there is none, or where it is not for this visitor. */
  readonly outbox: string | null
  /** The path of the API's documentation. */
  readonly docs: string | null
  readonly version: string | null
}

const DEFAULTS: ConsoleConfig = { basePath: '/api', signUp: true, outbox: null, docs: '/api/docs', version: null }

export function readConfig(page: Document): ConsoleConfig {
  const content = page.querySelector<HTMLMetaElement>('meta[name="sallyport"]')?.content ?? '{}'
  return { ...DEFAULTS, ...(JSON.parse(content) as Partial<ConsoleConfig>) }
}

export const config: ConsoleConfig = readConfig(document)
