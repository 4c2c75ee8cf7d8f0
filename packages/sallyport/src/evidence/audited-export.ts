/**
 * Carries an export from its start to its end: one at a time for a tenant, recorded before the first byte and after the last.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { AuditAction } from '../audit/actions.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { AuditId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { Requester } from './requester.ts'

export interface ExportJob {
  readonly requester: Requester
  /** What is exported: a dataset's name, or the bundle. */
  readonly resource: string
  /** What the start is recorded with. */
  readonly started: Readonly<Record<string, unknown>>
  /**
   * Makes the bytes. Called after the start is recorded; what it does before the first `yield` of its generator still
   * fails the request with an error of its own. Its return value is recorded with the end.
   */
  readonly produce: (exportId: string) => Promise<AsyncGenerator<Buffer, Readonly<Record<string, unknown>>>>
}

export interface ExportStream {
  readonly exportId: string
  readonly body: ReadableStream<Uint8Array>
}

const LEASE_MS = 30_000
const RENEW_MS = 10_000
/** Whoever takes nothing for so long has gone away without saying so, and the tenant's next export must not wait for them. */
const STALLED_MS = 5 * 60_000

type Deps = Pick<Engine, 'store' | 'log' | 'live'>

/**
 * Starts an export. The end is recorded before the stream is closed: a file that came to its end has its row.
 *
 * @throws SallyportError `CONFLICT` (reason `export_running`) while another export of the tenant runs.
 */
export async function auditedExport(deps: Deps, job: ExportJob): Promise<ExportStream> {
  const { store } = deps
  const { tenantId } = job.requester
  const exportId = newId<AuditId>()
  const lease = `export:${tenantId}`
  if (!(await store.jobs.lead(lease, exportId, LEASE_MS))) {
    throw new SallyportError('CONFLICT', 'Another export of this tenant is running. Try again when it has ended.', {
      facts: { reason: 'export_running' },
    })
  }
  const record = (action: AuditAction, facts: Readonly<Record<string, unknown>>, failure?: string): Promise<void> =>
    store.audit.append([
      auditRow(
        {
          ...job.requester.event,
          tenantId,
          action,
          resource: job.resource,
          resourceId: exportId,
          metadata: { ...job.requester.event.metadata, ...facts },
          ...(failure === undefined ? {} : { outcome: 'FAIL' as const, failureReason: failure }),
        },
        deps.live.date(),
      ),
    ])
  const release = (): Promise<void> =>
    store.jobs.resign(lease, exportId).catch((error: unknown) => {
      deps.log.warn({ err: error, exportId }, 'the lease of an export was not given back; it runs out by itself')
    })

  let bytes: AsyncGenerator<Buffer, Readonly<Record<string, unknown>>>
  let startRecorded = false
  try {
    await record('DATA_EXPORT_STARTED', job.started)
    startRecorded = true
    bytes = await job.produce(exportId)
  } catch (error) {
    if (startRecorded) await recordFailure(deps, record, exportId, codeOf(error), {})
    await release()
    if (startRecorded && error instanceof Error) failureRecorded(error)
    throw error
  }
  return { exportId, body: streamOf(deps, { bytes, lease, exportId, record, release }) }
}

interface Running {
  readonly bytes: AsyncGenerator<Buffer, Readonly<Record<string, unknown>>>
  readonly lease: string
  readonly exportId: string
  readonly record: (action: AuditAction, facts: Readonly<Record<string, unknown>>, failure?: string) => Promise<void>
  readonly release: () => Promise<void>
}

function streamOf(deps: Deps, { bytes, lease, exportId, record, release }: Running): ReadableStream<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  let ended = false
  let lastTaken = performance.now()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined

  async function fail(reason: string): Promise<void> {
    if (ended) return
    ended = true
    clearInterval(timer)
    await bytes.return({}).catch(() => undefined)
    await recordFailure(deps, record, exportId, reason, { bytes: size })
    await release()
  }

  const timer = setInterval(() => {
    if (performance.now() - lastTaken > STALLED_MS) {
      controller?.error(new Error('the reader of an export stopped reading'))
      void fail('STALLED')
      return
    }
    // One that fails is followed by others before the lease runs out.
    deps.store.jobs.lead(lease, exportId, LEASE_MS).catch(() => undefined)
  }, RENEW_MS)
  timer.unref()

  return new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull(to) {
        lastTaken = performance.now()
        try {
          const { done, value } = await bytes.next()
          if (ended) return
          if (done !== true) {
            hash.update(value)
            size += value.length
            to.enqueue(value)
            return
          }
          // Not closed before it is on record: what cannot be recorded has not ended well.
          await record('DATA_EXPORT_COMPLETED', { ...value, bytes: size, sha256: hash.digest('hex') })
          ended = true
          clearInterval(timer)
          await release()
          to.close()
        } catch (error) {
          deps.log.error({ err: error, exportId }, 'an export failed')
          await fail(codeOf(error))
          to.error(error)
        }
      },
      cancel: () => fail('ABORTED'),
    },
    { highWaterMark: 0 },
  )
}

async function recordFailure(
  deps: Deps,
  record: Running['record'],
  exportId: string,
  reason: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  try {
    await record('DATA_EXPORT_FAILED', facts, reason)
  } catch (error) {
    // With the database away the log keeps what the row would have said.
    deps.log.error({ err: error, exportId, reason }, 'a failed export could not be recorded')
  }
}

function codeOf(error: unknown): string {
  return error instanceof SallyportError ? error.code : 'INTERNAL'
}
