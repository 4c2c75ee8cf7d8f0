/**
 * What the audit log says of risk, in PostgreSQL: incidents, and what was scored.
 *
 * @module
 */

import { and, asc, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm'
import type { AuditRow } from '../../audit/record.ts'
import type { AfterRow, RiskStore } from '../contract/risk.ts'
import type { Database } from './database.ts'
import { mapDriverError } from './errors.ts'
import { auditLogs } from './schema.ts'

const INCIDENT = 'SUSPICIOUS_LOGIN_DETECTED'

/** The actions whose rows carry a score. */
const SCORED = ['AUTH_LOGIN', 'AUTH_TOKEN_REFRESH', 'STEP_UP_REQUIRED', INCIDENT]

export function incidentStore({ db }: Pick<Database, 'db'>): Pick<RiskStore, 'incidents' | 'scored'> {
  return {
    async incidents({ tenantId, after, limit }) {
      try {
        const rows = await db
          .select()
          .from(auditLogs)
          .where(
            and(
              eq(auditLogs.tenantId, tenantId),
              sql`${auditLogs.action} = ${sql.raw(`'${INCIDENT}'`)}`,
              beyond(after, '<'),
            ),
          )
          .orderBy(desc(auditLogs.createdAt), desc(auditLogs.id))
          .limit(limit)
        return rows as unknown as readonly AuditRow[]
      } catch (error) {
        throw mapDriverError(error, 'incidents')
      }
    },

    async scored({ from, to, after, limit }) {
      try {
        const rows = await db
          .select()
          .from(auditLogs)
          .where(
            and(
              gte(auditLogs.createdAt, from),
              lt(auditLogs.createdAt, to),
              inArray(auditLogs.action, SCORED),
              sql`${auditLogs.metadata} ? 'score'`,
              beyond(after, '>'),
            ),
          )
          .orderBy(asc(auditLogs.createdAt), asc(auditLogs.id))
          .limit(limit)
        return rows as unknown as readonly AuditRow[]
      } catch (error) {
        throw mapDriverError(error, 'scored requests')
      }
    },
  }
}

function beyond(after: AfterRow | undefined, side: '<' | '>') {
  if (after === undefined) return undefined
  const row = sql`(${auditLogs.createdAt}, ${auditLogs.id})`
  return sql`${row} ${sql.raw(side)} (${after.createdAt.toISOString()}::timestamptz, ${after.id}::uuid)`
}
