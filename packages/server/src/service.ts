/**
 * The service: engine, HTTP and metrics, started and stopped together.
 *
 * @module
 */

import type { Logger } from 'pino'
import { type Outbox, type Sallyport, SallyportError } from 'sallyport'
import type { Config } from './config.ts'
import { loadConsole } from './http/console/load-console.ts'
import { type ConsoleHandler, serveConsole } from './http/console/serve-console.ts'
import { type FoundDemo, seedDemo } from './demo/seed.ts'
import { problem } from './http/answers.ts'
import { answerMetrics, createHandler } from './http/handler.ts'
import { type Listener, listen } from './http/listen.ts'
import { createMetrics } from './metrics.ts'
import { openGuard } from './open-guard.ts'

export interface Service {
  readonly guard: Sallyport
  /** Set where one was asked for. */
  readonly demo: FoundDemo | undefined
  /** Where mails are kept while no SMTP server is configured; never in production. */
  readonly outbox: Outbox | undefined
  /** What to open in a browser on this machine. */
  readonly url: string
  /** Set while no SMTP server is configured, outside of production. */
  readonly outboxUrl: string | undefined
  /** Where Prometheus reads; undefined where neither a port nor a token is configured. */
  readonly metricsUrl: string | undefined
  /** Stops accepting, finishes what is being answered, writes what is pending, and closes the database. Repeating it waits for the first. */
  stop(): Promise<void>
}

/** How long requests may take to finish once the service is told to stop. */
const GRACE_MS = 10_000

/**
 * Starts the service and resolves when it answers.
 *
 * @throws SallyportError `CONFIG_INVALID` for what whoever runs it can mend, `UNAVAILABLE` when the database is away.
 */
export async function startService(
  config: Config,
  log: Logger,
  { withDemo = false }: { readonly withDemo?: boolean } = {},
): Promise<Service> {
  const { guard, outbox, clock, close } = await openGuard(config, log)
  const listeners: Listener[] = []
  let stopped: Promise<void> | undefined
  try {
    await refuseBehind(guard)
    // Before the engine looks at the clock: the demo's past is made by moving it.
    const tell = (text: string): void => log.info({}, text)
    const demo = withDemo ? await seedDemo({ config, store: guard.store, clock, log, tell }) : undefined
    await guard.start()
    const metrics = createMetrics(guard)
    const { port: metricsPort, token: metricsToken } = config.metrics
    const basePath = config.engine.basePath ?? '/api'
    const secure = config.issuer.startsWith('https:')
    const handle = createHandler({
      guard,
      basePath,
      secure,
      log,
      metrics,
      metricsToken: metricsPort === undefined ? metricsToken : undefined,
      outbox,
      console: await consoleOf(config, { basePath, hasOutbox: outbox !== undefined }),
      stopping: () => stopped !== undefined,
    })
    const main = await listen(handle, { ...config, secure })
    listeners.push(main)
    const metricsListener =
      metricsPort === undefined
        ? undefined
        : await listen(
            async (request) =>
              new URL(request.url).pathname === '/metrics'
                ? answerMetrics(metrics, metricsToken, request)
                : problem(404, 'NOT_FOUND', 'There is nothing at this path but /metrics.'),
            { host: config.host, port: metricsPort, secure: false },
          )
    if (metricsListener !== undefined) listeners.push(metricsListener)
    const url = urlOf(config.host, main.port)
    return {
      guard,
      demo,
      outbox,
      url,
      outboxUrl: outbox === undefined ? undefined : `${url}${basePath}/dev/outbox`,
      metricsUrl:
        metricsListener === undefined
          ? metricsToken && `${url}/metrics`
          : `${urlOf(config.host, metricsListener.port)}/metrics`,
      async stop() {
        stopped ??= (async () => {
          await Promise.all(listeners.map((listener) => listener.stop(GRACE_MS)))
          await close()
          metrics.close()
        })()
        await stopped
      },
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.stop(0)))
    await close()
    throw error
  }
}

async function consoleOf(
  { console, engine }: Config,
  { basePath, hasOutbox }: { readonly basePath: string; readonly hasOutbox: boolean },
): Promise<ConsoleHandler | 'off' | 'not-built'> {
  if (!console) return 'off'
  const built = await loadConsole()
  if (built === undefined) return 'not-built'
  return serveConsole({
    built,
    facts: {
      basePath,
      signUp: engine.signUp?.enabled ?? true,
      outbox: hasOutbox ? `${basePath}/dev/outbox` : undefined,
    },
  })
}

/** The embedded database is brought up to date when it is opened; a shared one only when somebody says so. */
async function refuseBehind(guard: Sallyport): Promise<void> {
  const { reachable, pendingMigrations } = await guard.store.health()
  if (!reachable)
    throw new SallyportError('UNAVAILABLE', 'DATABASE_URL: the database cannot be reached; run `sallyport doctor`')
  if (pendingMigrations.length > 0) {
    const count = pendingMigrations.length === 1 ? 'a migration is' : `${pendingMigrations.length} migrations are`
    throw new SallyportError(
      'CONFIG_INVALID',
      `${count} pending (${pendingMigrations.join(', ')}): run \`sallyport migrate\``,
    )
  }
}

/** An address that a browser on this machine can open: a wildcard is none. */
function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1') return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
