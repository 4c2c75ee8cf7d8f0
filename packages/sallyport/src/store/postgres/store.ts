/**
 * The store on PostgreSQL, served or embedded: the ports put together over one database.
 *
 * @module
 */

import type { Store } from '../contract/store.ts'
import { accessStore } from './access.ts'
import { auditStore } from './audit.ts'
import { feedStore } from './changes.ts'
import type { Database } from './database.ts'
import { directoryStore } from './directory.ts'
import { evidenceStore } from './evidence.ts'
import { jobStore } from './jobs.ts'
import { impersonationStore } from './impersonations.ts'
import { keyStore } from './keys.ts'
import { ledgerStore } from './ledger.ts'
import { limiterClient } from './limits.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { overviewStore } from './overview.ts'
import { riskStore } from './risk.ts'
import { sessionStore } from './sessions.ts'
import { stepUpStore } from './step-up.ts'
import { teamStore } from './team.ts'
import { tokenStore } from './tokens.ts'

export function postgresStore(database: Database): Store {
  return {
    tokens: tokenStore(database),
    sessions: sessionStore(database),
    directory: directoryStore(database),
    team: teamStore(database),
    access: accessStore(database),
    impersonations: impersonationStore(database),
    stepUp: stepUpStore(database),
    risk: riskStore(database),
    keys: keyStore(database),
    audit: auditStore(database),
    ledger: ledgerStore(database),
    evidence: evidenceStore(database),
    jobs: jobStore(database),
    overview: overviewStore(database),
    feed: feedStore(database),
    limits: limiterClient(database),
    migrate: () => migrate(database),
    async health() {
      try {
        return { reachable: true, pendingMigrations: await pendingMigrations(database) }
      } catch {
        // Whatever went wrong, the answer to "is it there" is no.
        return { reachable: false, pendingMigrations: [] }
      }
    },
    close: () => database.close(),
  }
}
