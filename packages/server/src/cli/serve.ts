/**
 * `sallyport serve`
 *
 * @module
 */

import type { Logger } from 'pino'
import { demoLines } from '../demo/describe.ts'
import { createLogger } from '../logger.ts'
import { type Service, startService } from '../service.ts'
import type { GlobalOptions } from './report.ts'
import { configuration } from './session.ts'

export interface ServeOptions extends GlobalOptions {
  readonly demo: boolean
}

/** Runs the service until a signal ends it. Resolves when it answers. */
export async function serve({ demo, json = false, verbose = false }: ServeOptions): Promise<void> {
  const config = await configuration()
  const log = createLogger({ level: verbose ? 'debug' : config.logLevel, json: json || config.production })
  const starting = startService(config, log, { withDemo: demo })
  // At once, not when it answers: a signal that comes meanwhile must not cut the start short half-way.
  onSignal(log, async () => (await starting).stop())
  surviveRejections(log)

  const service = await starting
  if (config.production && config.smtp === undefined) log.warn({}, 'SMTP_URL is not set: no mail will be sent')
  if (config.production || json) {
    log.info({ url: service.url, metrics: service.metricsUrl, issuer: config.issuer }, 'listening')
    return
  }
  process.stdout.write(
    `${banner(service, config.engine.basePath ?? '/api', service.demo && demoLines(service.demo, service.url)).join('\n')}\n`,
  )
}

function banner(
  { url, outboxUrl, metricsUrl }: Service,
  basePath: string,
  demo: readonly string[] | undefined,
): string[] {
  return [
    '',
    `  Sallyport   ${url}`,
    `  API docs    ${url}${basePath}/docs`,
    ...(outboxUrl === undefined ? [] : [`  Mails       ${outboxUrl}`]),
    ...(metricsUrl === undefined ? [] : [`  Metrics     ${metricsUrl}`]),
    '',
    ...(demo === undefined ? [] : [...demo.map((line) => (line === '' ? '' : `  ${line}`)), '']),
  ]
}

/** The first signal stops the service in order, the second at once. */
function onSignal(log: Logger, stop: () => Promise<void>): void {
  let stopping = false
  const handle = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, handle)
}

/** A promise that nobody waited for must not end the sessions of everybody else. */
function surviveRejections(log: Logger): void {
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'))
}
