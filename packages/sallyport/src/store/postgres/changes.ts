/**
 * The change feed in PostgreSQL: how rows get in, and how a node reads them.
 *
 * @module
 */

import { lt, sql } from 'drizzle-orm'
import type { Change, FeedStore } from '../contract/feed.ts'
import { FEED_OVERLAP_MS } from '../contract/feed.ts'
import type { Database, Statement, Tx } from './database.ts'
import { mapDriverError } from './errors.ts'
import { changes } from './schema.ts'

/** Says in the transaction of a change what other nodes must forget. The last write before COMMIT, so that its age is short. */
export async function insertChanges(
  tx: Tx,
  rows: readonly { readonly tenantId: string | null; readonly kind: Change['kind']; readonly ref: string }[],
): Promise<void> {
  if (rows.length > 0) await tx.db.insert(changes).values([...rows])
}

// The feed's ages are of the feed alone: they are compared with `at`, which the test clock does not move.
const POLL: Statement = {
  name: 'sallyport_feed_poll',
  text: `select clock_timestamp()::timestamptz(3) as now, c.id::text as id, c.kind, c.ref
    from (select 1) one
    left join changes c on c.at > clock_timestamp() - $1::float8 * interval '1 millisecond' and c.id <> all($2::bigint[])
    order by c.id`,
}

interface PollRow {
  readonly now: Date
  readonly id: string | null
  readonly kind: Change['kind']
  readonly ref: string
}

export function feedStore(database: Database): FeedStore {
  return {
    async poll({ seen, sinceMs }) {
      const rows = await database.feed.run<PollRow>(POLL, [Math.max(FEED_OVERLAP_MS, sinceMs + FEED_OVERLAP_MS), seen])
      const now = rows[0]?.now
      if (now === undefined) throw new TypeError('feed: the poll answered no row')
      return {
        now: new Date(now.getTime() + database.clock.offsetMs),
        changes: rows.flatMap(({ id, kind, ref }) => (id === null ? [] : [{ id: Number(id), kind, ref }])),
      }
    },

    async trim(ageMs) {
      try {
        const gone = await database.db
          .delete(changes)
          .where(lt(changes.at, sql`clock_timestamp() - ${ageMs}::float8 * interval '1 millisecond'`))
          .returning({ id: changes.id })
        return gone.length
      } catch (error) {
        throw mapDriverError(error, 'feed trim')
      }
    },
  }
}
