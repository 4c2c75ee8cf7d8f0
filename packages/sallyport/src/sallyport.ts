/**
 * Puts an instance together. It wires the parts and holds no rule.
 *
 * @module
 */

import { loadSigningKeys } from './access-tokens/load-signing-keys.ts'
import { revokeSigningKey } from './access-tokens/revoke-signing-key.ts'
import { rotateSigningKey } from './access-tokens/rotate-signing-key.ts'
import type { SigningKeys } from './access-tokens/signing-keys.ts'
import { logKey } from './audit/log-key.ts'
import { logOf } from './audit/log.ts'
import { reanchorLog } from './audit/reanchor.ts'
import type { RotatedLogKey } from './audit/rotate-log-key.ts'
import { rotateLogKey } from './audit/rotate-log-key.ts'
import { Refusals } from './audit/refusals.ts'
import { Sealer } from './audit/sealer.ts'
import type { LogVerdict } from './audit/verify-log.ts'
import type { VerifyLogsOptions } from './audit/verify-logs.ts'
import { verifyLogs } from './audit/verify-logs.ts'
import { Witness } from './audit/witness.ts'
import type { Mailer } from './directory/mailer.ts'
import { mailsSettled } from './directory/send-mail.ts'
import type { Engine } from './engine.ts'
import { SallyportError } from './errors.ts'
import type { EngineFace } from './face.ts'
import { engineFace } from './face.ts'
import type { Connection } from './http/client-address.ts'
import { apiHandler, OBSERVED_ROUTES } from './http/api.ts'
import type { Events } from './internal/events.ts'
import { keepEndingLapsed } from './impersonation/end-lapsed.ts'
import { EventBus } from './internal/events.ts'
import { Scheduler } from './jobs/scheduler.ts'
import type { Logger } from './internal/logger.ts'
import { silent } from './internal/logger.ts'
import type { SallyportOptions } from './options.ts'
import { resolveOptions } from './options.ts'
import { Lineages } from './refresh-tokens/lineages.ts'
import { RateLimits } from './rate-limits/rate-limits.ts'
import { Places } from './risk/place.ts'
import { RiskHealth } from './risk/risk-health.ts'
import { secretRing } from './secrets/secret-ring.ts'
import type { AuthenticateOptions } from './sessions/authenticate.ts'
import { authenticate, KnownTokens } from './sessions/authenticate.ts'
import type { Caller } from './sessions/caller.ts'
import { LiveView } from './sessions/live-view.ts'
import { WriteBehind } from './sessions/write-behind.ts'
import type { Store } from './store/contract/store.ts'

/** What `readyz` reports. */
export interface Readiness {
  readonly ok: boolean
  readonly checks: {
    readonly database: 'up' | 'down'
    readonly migrations: 'current' | 'behind' | 'unknown'
    readonly feed: 'live' | 'stale'
    /** `broken` while an MMDB file, or a host's function about places or risk, makes scores impossible: requests are refused. */
    readonly risk: 'ok' | 'broken'
  }
}

/** A running instance. */
export interface Sallyport<HostPermission extends string = never, HostPurpose extends string = never>
  extends Omit<EngineFace<HostPermission, HostPurpose>, 'audit'> {
  /** The HTTP API as a Fetch handler. `connection` tells the socket's address, which a `Request` does not know. */
  handler(request: Request, connection?: Connection): Promise<Response>
  /**
   * Establishes who is calling, from memory where the change feed is fresh.
   *
   * @param token The bare access token.
   * @throws SallyportError as {@link authenticate} says.
   */
  authenticate(token: string | undefined, options?: AuthenticateOptions): Caller | Promise<Caller>
  /** Loads the keys and starts the change feed. Called by the first use where the host does not. */
  start(): Promise<void>
  ready(): Promise<Readiness>
  /** Listens to what happened, after commit. @returns A function that stops the listening. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void
  /** The parts, for the operations that take them as their first argument. @throws TypeError before `start()` resolved. */
  readonly engine: Engine
  readonly store: Store
  readonly keys: {
    /** Every signing key, revoked ones included, oldest first. Private parts stay sealed. */
    list(): ReturnType<Store['keys']['list']>
    /** Replaces the key that signs by the one published to follow it. */
    rotate(input?: { readonly minPublishedMs?: number }): ReturnType<typeof rotateSigningKey>
    /** Ends a compromised key on every node at once. */
    revoke(kid: string): ReturnType<typeof revokeSigningKey>
  }
  readonly audit: EngineFace['audit'] & {
    /** Recomputes the audit logs from the database, and names the first thing that is wrong with each. Changes nothing. */
    verify(options?: VerifyLogsOptions): Promise<readonly LogVerdict[]>
    /** What auditors pin: the public key of a log. `null`: the service's own. */
    key(tenantId: string | null): Promise<string>
    /** Gives a log a new key. The next checkpoint, which comes back, is signed by the old one too. */
    rotateKey(tenantId: string | null, input: { readonly reason: string }): Promise<RotatedLogKey>
    /** Starts a new line of checkpoints, under a new key, for a log that was restored from a backup. */
    reanchor(tenantId: string | null, input: { readonly reason: string }): Promise<{ readonly epoch: number }>
  }
  /** Stops the feed, writes what is buffered, and closes the store. */
  close(): Promise<void>
}

/**
 * Makes an instance. Nothing is global: two instances in one process do not meet.
 *
 * @throws SallyportError `CONFIG_INVALID` naming the option, what was wrong and what is allowed.
 */
export function sallyport<const HostPermission extends string = never, const HostPurpose extends string = never>(
  options: SallyportOptions<HostPermission, HostPurpose>,
): Sallyport<HostPermission, HostPurpose> {
  const settings = resolveOptions(options)
  const secrets = secretRing(options.secrets)
  const log = options.log ?? silent
  const { store } = options
  const events = new EventBus(log)
  const knownTokens = new KnownTokens()
  const writeBehind = new WriteBehind(store, log)
  const rateLimits = new RateLimits({ settings: settings.rateLimits, secrets, client: store.limits, log })
  let keys: SigningKeys | undefined
  const live = new LiveView({
    store,
    log,
    maxStalenessMs: settings.maxStalenessMs,
    strict: settings.consistency === 'strict',
    onKeyChange: async () => {
      knownTokens.clear()
      await keys?.reload()
    },
  })
  const refusals = new Refusals(store, log, () => live.date())
  const witness = new Witness(settings.audit.witness, log)
  const sealer = new Sealer({ store, settings, secrets, witness, log })
  let scheduler: Scheduler | undefined
  const places = new Places(settings.geo, log)
  const riskHealth = new RiskHealth()
  let engine: Engine | undefined
  let starting: Promise<void> | undefined
  let closed = false
  let stopEnding: (() => Promise<void>) | undefined

  async function begin(): Promise<void> {
    const { reachable, pendingMigrations } = await store.health()
    if (!reachable) throw new SallyportError('UNAVAILABLE', 'the database did not answer')
    if (pendingMigrations.length > 0) {
      throw new SallyportError(
        'CONFIG_INVALID',
        `the database is not migrated (${pendingMigrations.join(', ')}); run "sallyport migrate", or store.migrate()`,
      )
    }
    keys = await loadSigningKeys(
      { store: store.keys, secrets, now: () => new Date(), accessTtlMs: settings.accessTtlMs },
      { algorithm: settings.accessAlg },
    )
    await places.start()
    await live.start()
    writeBehind.start()
    refusals.start()
    sealer.start()
    engine = {
      store,
      settings,
      secrets,
      keys,
      live,
      knownTokens,
      lineages: new Lineages(),
      writeBehind,
      refusals,
      sealer,
      routes: OBSERVED_ROUTES,
      rateLimits,
      events,
      places,
      riskHealth,
      mailer: options.mailer ?? noMailer(log),
      log,
    }
    scheduler = new Scheduler(engine)
    if (settings.jobs.schedule) scheduler.start()
    stopEnding = keepEndingLapsed(engine)
  }

  function start(): Promise<void> {
    if (closed) return Promise.reject(new TypeError('sallyport: this instance was closed'))
    // A start that failed may be tried again: the database may be back.
    starting ??= begin().catch((error: unknown) => {
      starting = undefined
      throw error
    })
    return starting
  }

  function started(): Engine {
    if (engine === undefined) throw new TypeError('sallyport: await start() first')
    return engine
  }

  const face = engineFace<HostPermission, HostPurpose>(async () => {
    await start()
    return started()
  })
  const handle = apiHandler({ settings, engine: () => engine, start })

  return {
    ...face,
    audit: {
      ...face.audit,
      verify: (verifyOptions) => verifyLogs({ store, settings }, verifyOptions),
      key: async (tenantId) => (await logKey({ store, secrets, settings }, logOf(tenantId))).vkey,
      rotateKey: (tenantId, input) => rotateLogKey({ store, secrets, sealer }, logOf(tenantId), input),
      reanchor: (tenantId, input) => reanchorLog({ store, secrets }, logOf(tenantId), input),
    },
    handler: handle,
    authenticate(token, authenticateOptions) {
      if (engine !== undefined) return authenticate(engine, token, authenticateOptions)
      return start().then(() => authenticate(started(), token, authenticateOptions))
    },
    start,
    async ready() {
      const { reachable, pendingMigrations } = await store.health()
      const checks = {
        database: reachable ? 'up' : 'down',
        migrations: reachable ? (pendingMigrations.length === 0 ? 'current' : 'behind') : 'unknown',
        feed: engine !== undefined && live.feedIsLive ? 'live' : 'stale',
        risk: places.broken || riskHealth.broken ? 'broken' : 'ok',
      } as const
      const { database, migrations, feed, risk } = checks
      return { ok: database === 'up' && migrations === 'current' && feed === 'live' && risk === 'ok', checks }
    },
    on: (name, listener) => events.on(name, listener),
    get engine() {
      return started()
    },
    store,
    keys: {
      list: () => store.keys.list(),
      rotate: async (input = {}) => {
        await start()
        return rotateSigningKey({ store: store.keys, secrets, keys: started().keys }, { ...input, origin: {} })
      },
      revoke: async (kid) => {
        await start()
        const outcome = await revokeSigningKey(
          { store: store.keys, secrets, keys: started().keys },
          { kid, origin: {} },
        )
        knownTokens.clear()
        return outcome
      },
    },
    async close() {
      closed = true
      await starting?.catch(() => undefined)
      await scheduler?.stop()
      await stopEnding?.()
      await live.stop()
      await writeBehind.stop()
      await refusals.stop()
      await sealer.stop()
      if (engine !== undefined) await mailsSettled(engine)
      await store.close()
    },
  }
}

/** Without a mailer, that a mail was due is all that anyone learns: its text holds links that open accounts. */
function noMailer(log: Logger): Mailer {
  return {
    send: async ({ kind }) => {
      log.warn({ kind }, 'no mailer is configured: a mail was not sent')
    },
  }
}
