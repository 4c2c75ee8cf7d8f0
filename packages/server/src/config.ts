/**
 * Reads the configuration of the service once, completely: file first, environment over it, every problem at once.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { SallyportOptions } from 'sallyport'
import { readConfigurationFile } from './config/file.ts'
import { configurationError, type Problem } from './config/problems.ts'
import { type SettingsInput, settingsSchema, VARIABLES } from './config/schema.ts'

/** The options that go to the engine as they are. */
export type EngineOptions = Omit<SallyportOptions, 'store' | 'issuer' | 'secrets' | 'mailer' | 'log'>

export interface Config {
  readonly production: boolean
  readonly database:
    | { readonly kind: 'postgres'; readonly url: string; readonly poolSize: number | undefined }
    | { readonly kind: 'embedded' }
  /** Where rate limits count failures for all nodes, in place of the database. */
  readonly redisUrl: string | undefined
  /** Where the embedded database, the generated secret and the demo's credentials are. Absolute. */
  readonly dataDir: string
  readonly issuer: string
  /** Undefined: the embedded default, which generates one. */
  readonly secrets: readonly string[] | undefined
  readonly host: string
  readonly port: number
  readonly metrics: { readonly port: number | undefined; readonly token: string | undefined }
  readonly smtp: { readonly url: string; readonly from: string } | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Whether the console is served. */
  readonly console: boolean
  readonly engine: EngineOptions
  /** What to call a setting where something is wrong with it: the variable or the file that it came from. */
  readonly nameOf: (path: string) => string
}

export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the file is looked for, and what relative paths start from. */
  readonly cwd: string
}

/** The default port. */
const PORT = 8080

/**
 * @throws SallyportError `CONFIG_INVALID` that names every variable or file entry in the wrong, the rule and the fix.
 */
export async function loadConfig({ env, cwd }: ConfigSource): Promise<Config> {
  const file = await readConfigurationFile(cwd, env['SALLYPORT_CONFIG'])
  const problems: Problem[] = [...file.problems, ...unknownVariables(env)]
  const merged = structuredClone(file.content) as Record<string, unknown>
  const fromEnvironment = new Map<string, string>()
  for (const [name, { path, kind }] of Object.entries(VARIABLES)) {
    const text = env[name]
    // Set to nothing is how many deployment tools say "not set".
    if (text === undefined || text === '') continue
    fromEnvironment.set(path, name)
    assign(merged, path, valueOf(text, kind))
  }
  const nameOf = (path: string): string => {
    const variable = fromEnvironment.get(path)
    if (variable !== undefined) return variable
    return hasPath(file.content, path) ? `${file.name}: "${path}"` : (variableOf(path) ?? `"${path}"`)
  }

  const parsed = settingsSchema.safeParse(merged)
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.filter((part) => typeof part === 'string').join('.')
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const where = `${file.name}: "${path === '' ? key : `${path}.${key}`}"`
        problems.push({ where, rule: 'is no setting: see docs/configuration.md for those there are' })
      }
    } else {
      problems.push({ where: nameOf(path), rule: issue.message })
    }
  }
  // Rules between settings are judged over what is well-formed, so that one run shows those too.
  const settings = parsed.data ?? wellFormed(merged)
  const production = env['NODE_ENV'] === 'production'
  problems.push(...(production ? productionProblems(settings, nameOf) : []), ...generalProblems(settings, nameOf))
  // What is malformed is told once: a rule that only its absence breaks would say it a second time.
  const distinct = problems.filter((one, at) => problems.findIndex(({ where }) => where === one.where) === at)
  if (distinct.length > 0) throw configurationError(distinct)

  const port = settings.port ?? PORT
  return {
    production,
    database:
      settings.databaseUrl === undefined
        ? { kind: 'embedded' }
        : { kind: 'postgres', url: settings.databaseUrl, poolSize: settings.poolSize },
    redisUrl: settings.redisUrl,
    dataDir: resolve(cwd, settings.dataDir ?? '.sallyport'),
    issuer: settings.issuer ?? `http://localhost:${port}`,
    secrets: settings.secrets,
    host: settings.host ?? '127.0.0.1',
    port,
    metrics: { port: settings.metricsPort, token: settings.metricsToken },
    smtp:
      settings.smtpUrl === undefined || settings.mailFrom === undefined
        ? undefined
        : { url: settings.smtpUrl, from: settings.mailFrom },
    logLevel: settings.logLevel ?? 'info',
    console: settings.console ?? true,
    engine: engineOptions(settings),
    nameOf,
  }
}

function productionProblems(settings: SettingsInput, nameOf: (path: string) => string): Problem[] {
  const problems: Problem[] = []
  if (settings.issuer === undefined) {
    problems.push({
      where: nameOf('issuer'),
      rule: 'must be set in production: the https URL that users reach the service at',
    })
  } else if (!settings.issuer.startsWith('https:')) {
    problems.push({ where: nameOf('issuer'), rule: 'must be an https URL in production: tokens would travel readable' })
  }
  if (settings.secrets === undefined) {
    problems.push({
      where: nameOf('secrets'),
      rule: 'must be set in production: 32 random bytes as base64url, made with `openssl rand -base64 32 | tr "+/" "-_" | tr -d "="`',
    })
  }
  if (settings.databaseUrl === undefined && settings.allowEmbedded !== true) {
    problems.push({
      where: nameOf('databaseUrl'),
      rule: 'must be set in production: the embedded database is not proof against power loss (SALLYPORT_ALLOW_EMBEDDED=true accepts that)',
    })
  }
  return problems
}

function generalProblems(settings: SettingsInput, nameOf: (path: string) => string): Problem[] {
  const problems: Problem[] = []
  if (settings.databaseUrl !== undefined && settings.secrets === undefined) {
    problems.push({
      where: nameOf('secrets'),
      rule: 'must be set where a DATABASE_URL is: all nodes on one database share their secrets. 32 random bytes as base64url',
    })
  }
  if (settings.smtpUrl !== undefined && settings.mailFrom === undefined) {
    problems.push({ where: nameOf('mailFrom'), rule: 'must be set where SMTP_URL is: the sender of mails' })
  }
  if (settings.redisUrl !== undefined && typeof settings.rateLimits === 'object' && settings.rateLimits.store) {
    problems.push({
      where: nameOf('rateLimits.store'),
      rule: 'cannot be set beside REDIS_URL, which says where failures are counted: remove one of the two',
    })
  }
  if (settings.dpop?.requireOnRequests === true && settings.console !== false) {
    problems.push({
      where: nameOf('dpop.requireOnRequests'),
      rule: 'cannot be on beside the console, whose client proves its key at sign-in and refresh only: set SALLYPORT_CONSOLE=false',
    })
  }
  if (settings.port === 0 && settings.issuer === undefined) {
    problems.push({
      where: nameOf('issuer'),
      rule: 'must be set where the port is 0 (any free one): links need an address',
    })
  }
  if (
    settings.metricsPort !== undefined &&
    settings.metricsPort !== 0 &&
    settings.metricsPort === (settings.port ?? PORT)
  ) {
    problems.push({
      where: nameOf('metricsPort'),
      rule: 'must differ from the port: use SALLYPORT_METRICS_TOKEN to share one',
    })
  }
  return problems
}

function engineOptions(settings: SettingsInput): EngineOptions {
  const {
    audience,
    basePath,
    accessToken,
    refreshToken,
    session,
    retry,
    reuse,
    consistency,
    maxStaleness,
    signUp,
    stepUp,
    audit,
    retention,
    jobs,
    build,
    mfa,
    preset,
    risk,
    geo,
    sessionLimit,
    dpop,
    allowedOrigins,
    trustedProxies,
    cookie,
    impersonation,
    permissions,
    rateLimits,
  } = settings
  return {
    audience,
    basePath,
    accessToken,
    refreshToken,
    session,
    retry,
    reuse,
    consistency,
    maxStaleness,
    signUp,
    stepUp,
    audit,
    retention,
    jobs,
    build,
    mfa,
    preset,
    risk,
    geo,
    sessionLimit,
    dpop,
    allowedOrigins,
    trustedProxies: hopsOr(trustedProxies),
    cookie,
    impersonation,
    permissions,
    rateLimits,
  } as EngineOptions
}

/** In the variable one number is a list of one: it counts proxies, since it can be no network. */
function hopsOr(proxies: SettingsInput['trustedProxies']): readonly string[] | number | undefined {
  if (!Array.isArray(proxies)) return proxies
  const [only] = proxies
  return proxies.length === 1 && only !== undefined && /^\d{1,2}$/.test(only) ? Number(only) : proxies
}

/** A misspelt security setting must not pass in silence. */
function unknownVariables(env: ConfigSource['env']): Problem[] {
  return (
    Object.keys(env)
      .filter((name) => name.startsWith('SALLYPORT_') && name !== 'SALLYPORT_CONFIG' && VARIABLES[name] === undefined)
      // Kubernetes sets these for a service of the name "sallyport", whatever the container thinks of them.
      .filter((name) => !/^SALLYPORT_(?:SERVICE_|PORT(?:_|$))/.test(name))
      .map((where) => ({ where, rule: 'is no setting: see docs/configuration.md for those there are, or unset it' }))
  )
}

function valueOf(text: string, kind: 'text' | 'number' | 'boolean' | 'list'): unknown {
  if (kind === 'number') return /^\d{1,9}$/.test(text) ? Number(text) : text
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (kind === 'list') return text.split(',').map((entry) => entry.trim())
  return text
}

function assign(target: Record<string, unknown>, path: string, value: unknown): void {
  const [head, rest] = split(path)
  if (rest === undefined) {
    target[head] = value
    return
  }
  const inner = target[head]
  const group = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  target[head] = group
  assign(group, rest, value)
}

function hasPath(source: Readonly<Record<string, unknown>>, path: string): boolean {
  const [head, rest] = split(path)
  const inner = source[head]
  if (rest === undefined || typeof inner !== 'object' || inner === null) return inner !== undefined
  return hasPath(inner as Readonly<Record<string, unknown>>, rest)
}

function split(path: string): [head: string, rest: string | undefined] {
  const dot = path.indexOf('.')
  return dot === -1 ? [path, undefined] : [path.slice(0, dot), path.slice(dot + 1)]
}

function variableOf(path: string): string | undefined {
  return Object.entries(VARIABLES).find(([, variable]) => variable.path === path)?.[0]
}

function wellFormed(merged: Readonly<Record<string, unknown>>): SettingsInput {
  const kept = Object.entries(settingsSchema.shape).flatMap(([key, schema]) => {
    const result = schema.safeParse(merged[key])
    return result.success ? [[key, result.data] as const] : []
  })
  return Object.fromEntries(kept) as SettingsInput
}
