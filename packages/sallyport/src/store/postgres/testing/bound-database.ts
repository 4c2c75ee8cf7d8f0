/**
 * A database that refuses what does not say whose rows it means: whatever test runs on one shows that its statements name their
 * tenant.
 *
 * @module
 */

import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import type { Database } from '../database.ts'
import * as schema from '../schema.ts'
import type { TenantColumns } from './tenant-bound.ts'
import { unboundTables } from './tenant-bound.ts'
import type { Sent } from './watch-statements.ts'
import { watchStatements } from './watch-statements.ts'

/** The column that says whose a row is, of every table of the schema that has one. */
export const TENANT_COLUMNS: TenantColumns = new Map(
  Object.values(schema)
    .filter((value) => is(value, PgTable))
    .flatMap((table): readonly (readonly [string, string])[] => {
      const { name, columns } = getTableConfig(table as PgTable)
      if (name === 'tenants') return [[name, 'id']]
      return columns.some((column) => column.name === 'tenant_id') ? [[name, 'tenant_id']] : []
    }),
)

/** Statements that may touch rows of more than one tenant, and why. */
interface Exception {
  readonly because: string
  /** Their names, or, where they have none, how their text reads. */
  readonly statements: readonly (string | RegExp)[]
  readonly tables: readonly string[]
}

/** All there are. A statement is not let off for a table that is not in its row. */
const EXCEPTIONS: readonly Exception[] = [
  {
    because: 'it is how a tenant is found that the request names by its slug, or the host by its own id',
    statements: [
      'sallyport_tenant_by_slug',
      /from "tenants" where "tenants"\."external_id" = \$1$/,
      /from "tenants" inner join .* where \("tenants"\."external_id" = \$1 and "users"\."(?:external_id|id)" = \$2\)$/,
    ],
    tables: ['tenants', 'tenant_staff'],
  },
  {
    because:
      'an account is a person, whose password and address open all their tenants: where they are members is what is asked',
    statements: ['sallyport_account_by_email', 'sallyport_account_by_id', 'sallyport_user_places'],
    tables: ['tenants', 'tenant_staff'],
  },
  {
    because: 'a new password, a new factor and a deleted account end all that the person has, wherever that is',
    statements: [
      'sallyport_lock_staff_of_user',
      'sallyport_lock_families_of_user',
      /from "tenant_staff" where "tenant_staff"\."user_id" = \$1 order by/,
      /from "token_families" where \("token_families"\."user_id" = \$1 and/,
      /from "tenant_staff" where \("tenant_staff"\."user_id" = \$1 or \("tenant_staff"\."tenant_id" in/,
    ],
    tables: ['tenant_staff', 'token_families'],
  },
  {
    because:
      'factors open every tenant of their owner: an admin of one may reset them only where there is no other, and learns no more',
    statements: [
      /^select "id" from "tenant_staff" where \("tenant_staff"\."user_id" = \$1 and "tenant_staff"\."tenant_id" <> \$2 and/,
    ],
    tables: ['tenant_staff'],
  },
  {
    because: 'a deleted person is deleted everywhere',
    statements: [
      'sallyport_audit_take_erased',
      'sallyport_purge_one_time_tokens',
      'sallyport_purge_pending_sign_ins',
      'sallyport_purge_refresh_tokens',
      'sallyport_purge_step_up_challenges',
      'sallyport_purge_tenant_staff',
      'sallyport_purge_token_families',
      'sallyport_purge_trusted_devices',
      'sallyport_purge_user_sessions',
    ],
    tables: [
      'audit_logs',
      'audit_seals',
      'one_time_tokens',
      'pending_sign_ins',
      'refresh_tokens',
      'step_up_challenges',
      'tenant_staff',
      'token_families',
      'user_sessions',
    ],
  },
  {
    because: 'guesses at a person are counted wherever they were made; no more than how many is told',
    statements: ['sallyport_refresh_facts', 'sallyport_risk_sign_in', 'sallyport_rotate', 'sallyport_rotate_marked'],
    tables: ['audit_logs'],
  },
  {
    because: 'whoever runs the service tries a policy on all that was scored; no request is behind it',
    statements: [/from "audit_logs" where \("audit_logs"\."created_at" >= \$1 and .*"metadata" \? 'score'/],
    tables: ['audit_logs'],
  },
  {
    because:
      'a mailbox is one, whatever tenant has codes sent to it: they are counted together, and a newer one voids the older',
    statements: [
      /^select "created_at" from "step_up_challenges" where \(\("step_up_challenges"\."user_id" = \$1 and .*"code_hash" is not null\)/,
      /^update "step_up_challenges" set "consumed_at" = \$1 where \(\("step_up_challenges"\."user_id" = \$2 and .*"code_hash" is not null\)/,
    ],
    tables: ['step_up_challenges'],
  },
  {
    because: 'whoever opens a link shows its secret and says nothing of a tenant, and links of an account have none',
    statements: [
      /from "one_time_tokens" where \("one_time_tokens"\."token_hash" = \$1 and/,
      /^update "one_time_tokens" set "used_at" = \$1 where \("one_time_tokens"\."token_hash" = \$2 and/,
      /^update "one_time_tokens" set "data" = \$1, "used_at" = \$2 where \("one_time_tokens"\."user_id" = \$3 and/,
    ],
    tables: ['one_time_tokens'],
  },
  {
    because:
      'the seals of a log name their tenant, and its rows by their ids: that one is not its own is what a verification looks for',
    statements: [
      'sallyport_evidence_count',
      'sallyport_evidence_ends',
      'sallyport_evidence_removed',
      'sallyport_evidence_rows',
      'sallyport_ledger_doubtful_pending',
      'sallyport_ledger_sealed',
      'sallyport_ledger_unaccounted_service',
      'sallyport_ledger_unaccounted_tenant',
    ],
    tables: ['audit_logs', 'audit_pending'],
  },
  {
    because: 'every node follows what changes in every tenant, and learns no more than which row it was',
    statements: ['sallyport_feed_poll', /^delete from "changes" where "changes"\."at" < /],
    tables: ['changes'],
  },
  {
    because: 'no request is behind it: it looks for what is due in any tenant, and what it then does names the tenants',
    statements: [
      'sallyport_jobs_take_changes',
      'sallyport_jobs_drop_changes',
      'sallyport_jobs_due_families',
      'sallyport_jobs_due_sessions',
      'sallyport_jobs_take_families',
      'sallyport_jobs_take_one_time_tokens',
      'sallyport_jobs_take_step_up_challenges',
      'sallyport_jobs_take_user_sessions',
      'sallyport_jobs_take_audit',
      'sallyport_lapsed_impersonations',
      'sallyport_ledger_logs',
      'sallyport_ledger_unsigned',
      'sallyport_ledger_waiting',
    ],
    tables: [
      'audit_checkpoints',
      'audit_heads',
      'audit_logs',
      'audit_pending',
      'audit_signed',
      'changes',
      'one_time_tokens',
      'refresh_tokens',
      'step_up_challenges',
      'tenant_staff',
      'tenants',
      'token_families',
      'user_sessions',
    ],
  },
]

/** The tables that a statement should have named the tenant of. What tests send past the store is not judged. */
export function tablesAtLarge({ name, text }: Sent): readonly string[] {
  if (name !== undefined && !name.startsWith('sallyport_')) return []
  const unbound = unboundTables(text, TENANT_COLUMNS)
  if (unbound.length === 0) return []
  const allowed = EXCEPTIONS.filter(({ statements }) =>
    statements.some((one) => (typeof one === 'string' ? one === name : name === undefined && one.test(text))),
  ).flatMap(({ tables }) => tables)
  return unbound.filter((table) => !allowed.includes(table))
}

const judged = new Map<string, readonly string[]>()

/** @throws TypeError from a statement that leaves open whose rows it means. */
export function boundDatabase(database: Database): Database {
  return watchStatements(database, (statement) => {
    const key = `${statement.name ?? ''} ${statement.text}`
    const atLarge = judged.get(key) ?? tablesAtLarge(statement)
    judged.set(key, atLarge)
    if (atLarge.length > 0) {
      throw new TypeError(`${statement.name ?? statement.text}: whose rows of ${atLarge.join(', ')} is not said`)
    }
  })
}
