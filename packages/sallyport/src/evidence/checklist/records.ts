/**
 * Controls of the audit log, of exports, and of the system's own upkeep.
 *
 * @module
 */

import { JOBS } from '../../jobs/jobs.ts'
import { CHECKLIST_INDEXES } from './indexes.ts'
import type { Control } from './control.ts'
import { passIf, passUnless } from './control.ts'

const EVENTS = '/audit/events'
const MINUTE = 60_000

/** Differences that are shown; how many there are is said besides. */
const MOST_DRIFT = 50

const AUDIT_TRIGGERS = ['audit_logs_append_only', 'audit_logs_no_truncate']
const FACTS = [
  'user_id?',
  'resource?',
  'resource_id?',
  'old_value?',
  'new_value?',
  'correlation_id',
  'leaf_hash',
  'actor_name?',
]

export const recordControls: readonly Control[] = [
  {
    id: 'audit-central',
    statement: 'Every change that the API makes is named in one audit log.',
    criteria: ['CC2.1', 'CC7.2'],
    link: EVENTS,
    judge: ({ routes, counts: { events } }) => {
      const silent = routes.filter(({ mutates, actions }) => mutates && actions.length === 0).map(({ path }) => path)
      return passIf(silent.length === 0 && events > 0, { events, changesWithoutAction: silent })
    },
  },
  {
    id: 'audit-append-only',
    statement: 'The audit log is append-only: the database refuses to change or remove a row.',
    criteria: ['CC7.2', 'CC8.1'],
    link: '/audit/checkpoint',
    judge: ({ auditTriggers }) => {
      const missing = AUDIT_TRIGGERS.filter((name) => !auditTriggers.includes(name))
      return passIf(missing.length === 0, { triggers: [...auditTriggers], missing })
    },
  },
  {
    id: 'audit-sealed',
    statement: 'The audit log is sealed into a signed tree that an outsider can check.',
    criteria: ['CC4.1', 'CC7.2'],
    link: '/audit/checkpoint',
    judge: ({ checkpoint, logSize, now, counts: { events_unsealed_late } }) => {
      const behind = checkpoint === undefined || checkpoint.size < logSize
      const old = checkpoint === undefined || now.getTime() - checkpoint.signedAt.getTime() > 10 * MINUTE
      return passUnless(
        {
          broken: events_unsealed_late > 0 || (checkpoint !== undefined && checkpoint.size > logSize),
          doubtful: behind && old,
        },
        {
          rows: logSize,
          signedRows: checkpoint?.size ?? 0,
          signedAt: checkpoint?.signedAt.toISOString() ?? null,
          unsealedForTenMinutes: events_unsealed_late,
        },
      )
    },
  },
  {
    id: 'audit-facts',
    statement: 'An event says who did what to which thing, before and after.',
    criteria: ['CC7.2', 'CC7.3'],
    link: EVENTS,
    judge: ({ columns }) => {
      const missing = FACTS.filter((name) => !columns.includes(`audit_logs.${name}`))
      return passIf(missing.length === 0, { missingColumns: missing })
    },
  },
  {
    id: 'audit-correlation',
    statement: 'The events of one request have one correlation id.',
    criteria: ['CC7.3', 'CC7.4'],
    link: EVENTS,
    judge: ({ counts: { events, events_without_correlation }, columns }) =>
      passIf(events_without_correlation === 0 && columns.includes('audit_logs.correlation_id'), {
        events,
        eventsWithoutCorrelation: events_without_correlation,
      }),
  },
  {
    id: 'exports',
    statement: 'The log and what it rests on can be exported, under a permission and a second factor.',
    criteria: ['CC2.1', 'CC6.7'],
    link: '/compliance/export/audit-logs.csv',
    judge: ({ routes }) => {
      const route = routes.find(({ path }) => path.includes('/compliance/export/'))
      return passIf(route?.permission === true && route.stepUp === 'data_export', {
        route: route?.path ?? null,
        permission: route?.permission ?? false,
        stepUp: route?.stepUp ?? null,
      })
    },
  },
  {
    id: 'exports-logged',
    statement: 'Every export is on record from its start to its end.',
    criteria: ['CC6.7', 'CC7.2'],
    link: `${EVENTS}?action=DATA_EXPORT_STARTED`,
    judge: ({ routes, counts: { exports, exports_without_end } }) => {
      const route = routes.find(({ path }) => path.includes('/compliance/export/'))
      const recorded =
        route?.actions.includes('DATA_EXPORT_STARTED') === true && route.actions.includes('DATA_EXPORT_COMPLETED')
      return passUnless(
        { broken: !recorded, doubtful: exports_without_end > 0 },
        { exports, exportsWithoutEnd: exports_without_end },
      )
    },
  },
  {
    id: 'cleanup-ran',
    statement: 'Cleanup jobs run when they are due.',
    criteria: ['CC5.2', 'CC7.2'],
    link: '/compliance/checklist',
    judge: ({ lastDone, now, settings: { jobs } }) => {
      const due = JOBS.map(({ name, everyMs }) => ({ name, everyMs, last: lastDone.get(name)?.startedAt }))
      const late = due.filter(({ last, everyMs }) => last === undefined || now.getTime() - last.getTime() > 2 * everyMs)
      const never = due.filter(({ last }) => last === undefined)
      return passUnless(
        { broken: late.length > never.length, doubtful: never.length > 0 },
        {
          late: late.map(({ name }) => name),
          lastRuns: due.map(({ name, last }) => `${name} ${last?.toISOString() ?? 'never'}`),
          scheduledHere: jobs.schedule,
        },
      )
    },
  },
  {
    id: 'hot-paths-indexed',
    statement: 'What every request looks up is indexed.',
    criteria: ['A1.2'],
    link: '/compliance/checklist',
    judge: ({ indexes }) => {
      const missing = CHECKLIST_INDEXES.filter((name) => !indexes.includes(name))
      return passIf(missing.length === 0, { missing })
    },
  },
  {
    id: 'schema-current',
    statement: 'The schema is what its migrations say.',
    criteria: ['CC8.1'],
    link: '/compliance/checklist',
    judge: ({ pendingMigrations, changedMigrations, schemaDrift }) =>
      passIf(pendingMigrations.length === 0 && changedMigrations.length === 0 && schemaDrift.length === 0, {
        pending: [...pendingMigrations],
        changed: [...changedMigrations],
        drift: schemaDrift.slice(0, MOST_DRIFT),
        driftCount: schemaDrift.length,
      }),
  },
  {
    id: 'no-silent-deletes',
    statement: 'Nothing is removed without a record of what went.',
    criteria: ['CC5.2', 'C1.2'],
    link: `${EVENTS}?action=EVIDENCE_PURGED`,
    judge: ({ counts: { purges, tokens_of_no_family }, auditTriggers, settings: { retention } }) =>
      passIf(tokens_of_no_family === 0 && auditTriggers.includes('audit_logs_append_only'), {
        batchesOnRecord: purges,
        tokensOfNoFamily: tokens_of_no_family,
        auditRowsKept: retention.auditLogsMs === undefined ? 'for ever' : `${retention.auditLogsMs / 86_400_000} days`,
      }),
  },
]
