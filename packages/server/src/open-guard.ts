/**
 * Puts the engine together from the configuration.
 *
 * @module
 */

import type { Logger } from 'pino'
import { Outbox, type Sallyport, SallyportError, sallyport } from 'sallyport'
import type { Config } from './config.ts'
import { configurationError } from './config/problems.ts'
import { secretsOf } from './config/secrets-file.ts'
import { type Clock, openStore } from './open-store.ts'
import { openRedis } from './redis.ts'
import { smtpMailer } from './smtp-mailer.ts'

export interface OpenGuard {
  readonly guard: Sallyport
  /** Where mails are kept while no SMTP server is configured; never in production. */
  readonly outbox: Outbox | undefined
  /** Moves the database's clock, while the engine has not started; never in production. */
  readonly clock: Clock | undefined
  /** Closes the engine, its database, and the connections to Redis and for mail. */
  close(): Promise<void>
}

/**
 * Opens the database and the engine on it. Nothing runs yet: `guard.start()` does that.
 *
 * @throws SallyportError `CONFIG_INVALID` that names the variable or the entry of the file.
 */
export async function openGuard(config: Config, log: Logger): Promise<OpenGuard> {
  const smtp = config.smtp === undefined ? undefined : smtpMailer(config.smtp.url, config.smtp.from)
  const outbox = smtp === undefined && !config.production ? new Outbox() : undefined
  const clock: Clock | undefined = config.production ? undefined : { offsetMs: 0 }
  const store = await openStore(config, clock)
  const { rateLimits } = config.engine
  const redis = config.redisUrl === undefined || rateLimits === 'off' ? undefined : openRedis(config.redisUrl, log)
  try {
    const guard = sallyport({
      ...config.engine,
      ...(redis && rateLimits !== 'off' && { rateLimits: { ...rateLimits, store: redis } }),
      store,
      issuer: config.issuer,
      secrets: config.secrets ?? secretsOf(config.dataDir),
      mailer: smtp ?? outbox,
      log,
    })
    return {
      guard,
      outbox,
      clock,
      async close() {
        await guard.close()
        redis?.disconnect()
        smtp?.close()
      },
    }
  } catch (error) {
    redis?.disconnect()
    await store.close()
    throw namedLikeTheSetting(error, config)
  }
}

/** The engine names its option; whoever runs the service knows the variable. */
function namedLikeTheSetting(error: unknown, { nameOf }: Config): unknown {
  if (!(error instanceof SallyportError)) return error
  const option = error.facts['option'] ?? error.facts['field']
  if (error.code !== 'CONFIG_INVALID' || typeof option !== 'string') return error
  const rule = error.message.replace(/^option "[^"]*" /, '').replace(/^secrets: /, '')
  return configurationError([{ where: nameOf(option), rule }])
}
