/**
 * Searches a tenant's audit log, newest first.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import type { AuditSearch } from '../store/contract/audit.ts'
import type { Seal } from '../store/contract/ledger.ts'
import { logOf } from './log.ts'
import type { AuditRow } from './record.ts'
import { readCursor, writeCursor } from '../internal/page-cursor.ts'

export interface FindEventsInput extends Omit<AuditSearch, 'tenantId' | 'limit' | 'after'> {
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** Defaults to 50. */
  readonly limit?: number | undefined
}

/** An audit row, and its place in the sealed log; `seal` is null while it waits for one. */
export interface FoundEvent {
  readonly row: AuditRow
  readonly seal: Seal | null
  /** What the person is called now who acted as another; null where nobody did, or they are unknown. */
  readonly realUserName: string | null
}

export interface EventPage {
  readonly events: readonly FoundEvent[]
  /** `null` where the log is seen to its end. A page with few events, or none, can still have one. */
  readonly nextCursor: string | null
}

/**
 * Finds events of the caller's tenant.
 *
 * @throws SallyportError `INVALID_REQUEST` (the cursor, a range that ends before it begins), `UNAVAILABLE`.
 */
export async function findEvents(
  { store }: Pick<Engine, 'store'>,
  caller: Pick<Caller, 'tenantId'>,
  { cursor, limit = 50, ...search }: FindEventsInput = {},
): Promise<EventPage> {
  const { from, to } = search
  if (from !== undefined && to !== undefined && from >= to) throw invalidField('to', 'must be after "from"')
  const { tenantId } = caller
  const end = readCursor(cursor)
  const { rows, more } = await store.audit.search({
    ...search,
    tenantId,
    limit,
    after: end && { createdAt: end.at, id: end.id },
  })
  return {
    events: await found({ store }, tenantId, rows),
    nextCursor: more === undefined ? null : writeCursor({ at: more.createdAt, id: more.id }),
  }
}

/** One event of the caller's tenant. @throws SallyportError `NOT_FOUND`, also for those of other tenants. */
export async function findEvent(
  { store }: Pick<Engine, 'store'>,
  { tenantId }: Pick<Caller, 'tenantId'>,
  id: string,
): Promise<FoundEvent> {
  const row = await store.audit.find(tenantId, id)
  const [event] = await found({ store }, tenantId, row === undefined ? [] : [row])
  if (event === undefined) throw new SallyportError('NOT_FOUND', 'There is no such event.')
  return event
}

async function found(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  rows: readonly AuditRow[],
): Promise<readonly FoundEvent[]> {
  const acting = rows.flatMap(({ realUserId }) => realUserId ?? [])
  const [seals, names] = await Promise.all([
    store.ledger.sealsOf(
      logOf(tenantId),
      rows.map(({ id }) => id),
    ),
    store.directory.names(tenantId, acting),
  ])
  return rows.map((row) => ({
    row,
    seal: seals.get(row.id) ?? null,
    realUserName: names.get(row.realUserId ?? '') ?? null,
  }))
}
