/**
 * The case file of an incident: what happened, to whom, what was contained, who was told, and what to do next. Of a theft also the
 * lineage taken apart.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { AuditId, UserId } from '../ids.ts'
import { isId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import type { FamilyRecord } from '../store/contract/tokens.ts'
import type { Advice } from './advice.ts'
import { adviceFor } from './advice.ts'
import type { TakenApart } from './branches.ts'
import { takeApart } from './branches.ts'
import type { Incident } from './list.ts'
import { describeIncidents, detailsOf } from './list.ts'
import { searchAll } from './search-all.ts'

/** The family that a theft or a stop was about. */
export interface CaseFamily {
  readonly id: string
  readonly sessionId: string | null
  readonly binding: 'none' | 'cookie' | 'key'
  readonly startedAt: Date
  /** How many tokens there were, the first included. */
  readonly generations: number
}

/** What was ended, in one transaction with the row of the incident. */
export interface Contained {
  readonly at: Date
  /** `family`, `staff` or `user`: the reach of the setting. Null for a sign-in that was stopped: there was nothing to end. */
  readonly scope: string | null
  readonly sessions: readonly string[]
  readonly families: number
  /** The version that the member's tokens must have since; null where it was not raised. */
  readonly sessionVersion: number | null
}

export interface Told {
  readonly userId: string
  /** Null where they are no longer known. */
  readonly name: string | null
  readonly as: 'person' | 'admin'
}

export interface CaseFile {
  readonly incident: Incident
  /** The row's own words: signals with their evidence, both uses of a stolen token. */
  readonly details: Readonly<Record<string, unknown>>
  /** What was recorded of the request, the session and the person, from a day before to a day after; oldest first, 200 at most. */
  readonly events: readonly AuditRow[]
  /** Null for a sign-in that was stopped, and once the family was cleaned up. */
  readonly family: CaseFamily | null
  /** Null unless a token was reused. */
  readonly theft: TakenApart | null
  /** Whether all that was recorded since they parted was looked through. */
  readonly complete: boolean
  readonly contained: Contained
  /** To whom mails were addressed, where that was recorded; whether they arrived is not known here. */
  readonly told: readonly Told[] | null
  readonly advice: readonly Advice[]
}

const DAY_MS = 86_400_000
const MOST_EVENTS = 200
const MOST_ROWS = 1_000
const MOST_TOKENS = 500
/** Generations that are shown from before a lineage parted: what the session was like. */
const BEFORE = 10

/** The caller stands behind `SETTINGS_SECURITY_VIEW`. @throws SallyportError `NOT_FOUND`, also for those of other tenants. */
export async function caseFile(
  engine: Pick<Engine, 'store' | 'live' | 'settings'>,
  { tenantId }: Pick<Caller, 'tenantId'>,
  id: AuditId,
): Promise<CaseFile> {
  const { store } = engine
  const row = await store.audit.find(tenantId, id)
  if (row?.action !== 'SUSPICIOUS_LOGIN_DETECTED') throw new SallyportError('NOT_FOUND', 'There is no such incident.')
  const [incident] = await describeIncidents(engine, tenantId, [row])
  if (incident === undefined) throw new TypeError('incidents: a row without its description')
  const details = detailsOf(row)
  const lineage = await lineageOf(engine, tenantId, details)
  const ofRequest = await rowsOfRequest(store, tenantId, row)
  const [events, ended, told] = await Promise.all([
    eventsAround(engine, tenantId, row, ofRequest),
    contained(engine, tenantId, row, ofRequest),
    toldOf(engine, tenantId, details, incident.userId),
  ])
  const { theft, complete } = await theftOf(engine, tenantId, row, lineage)
  return {
    incident,
    details,
    events,
    family: lineage === undefined ? null : familyOf(lineage),
    theft,
    complete,
    contained: ended,
    told,
    advice:
      incident.userId === null
        ? []
        : await adviceFor(engine, {
            tenantId,
            userId: incident.userId as UserId,
            at: row.createdAt,
            addresses: strangersOf(row, theft),
            hasActions: theft !== null && hasActions(theft),
            binding: theft === null ? undefined : (lineage?.binding ?? 'none'),
          }),
  }
}

async function lineageOf(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  { familyId, generation }: Readonly<Record<string, unknown>>,
): Promise<FamilyRecord | undefined> {
  if (!isId(familyId)) return undefined
  const parted = typeof generation === 'number' ? generation : 0
  return store.tokens.family({
    tenantId,
    familyId,
    fromGeneration: Math.max(0, parted - BEFORE),
    limit: MOST_TOKENS,
  })
}

function familyOf({ familyId, sessionId, binding, startedAt, generation }: FamilyRecord): CaseFamily {
  return { id: familyId, sessionId, binding, startedAt, generations: generation + 1 }
}

async function theftOf(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  row: AuditRow,
  lineage: FamilyRecord | undefined,
): Promise<{ readonly theft: TakenApart | null; readonly complete: boolean }> {
  if (detailsOf(row)['reason'] !== 'reuse_detected') return { theft: null, complete: true }
  const { sessionId } = row
  if (sessionId === null) return { theft: takeApart(row, lineage, []), complete: true }
  const first = lineage?.tokens[0]?.issuedAt ?? row.createdAt
  const to = new Date(row.createdAt.getTime() + DAY_MS)
  const since = await searchAll(
    store.audit,
    { tenantId, sessionId, from: new Date(first.getTime() - 1_000), to },
    MOST_ROWS,
  )
  return { theft: takeApart(row, lineage, since.rows), complete: since.complete }
}

/** What was recorded around it, each row once. */
async function eventsAround(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  row: AuditRow,
  ofRequest: readonly AuditRow[],
): Promise<readonly AuditRow[]> {
  const at = row.createdAt.getTime()
  const around = { tenantId, from: new Date(at - DAY_MS), to: new Date(at + DAY_MS) }
  const target = detailsOf(row)['targetUserId']
  const searches = [
    ...(row.sessionId === null ? [] : [{ sessionId: row.sessionId }]),
    ...(isId(target) ? [{ userId: target }] : []),
  ]
  const found = await Promise.all(searches.map((by) => searchAll(store.audit, { ...around, ...by }, MOST_EVENTS)))
  const rows = new Map([...ofRequest, ...found.flatMap(({ rows: some }) => some)].map((one) => [one.id, one]))
  return [...rows.values()]
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
    .slice(0, MOST_EVENTS)
}

/** The rows that the same request wrote. */
async function rowsOfRequest(
  store: Engine['store'],
  tenantId: Caller['tenantId'],
  { createdAt, correlationId }: AuditRow,
): Promise<readonly AuditRow[]> {
  const at = createdAt.getTime()
  const during = { tenantId, from: new Date(at - 60_000), to: new Date(at + 60_000), correlationId }
  return (await searchAll(store.audit, during, MOST_EVENTS)).rows
}

async function contained(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  row: AuditRow,
  ofRequest: readonly AuditRow[],
): Promise<Contained> {
  const { reach, ended } = detailsOf(row)
  const sessions = ofRequest
    .filter(({ action }) => action === 'SESSION_REVOKED' || action === 'IMPERSONATION_ENDED')
    .flatMap(({ sessionId }) => sessionId ?? [])
  const version = (ended as { readonly sessionVersion?: unknown } | undefined)?.sessionVersion
  return {
    at: row.createdAt,
    scope: typeof reach === 'string' ? reach : sessions.length === 0 ? null : 'staff',
    sessions,
    families: await store.tokens.endedFamilies(tenantId, sessions),
    sessionVersion: typeof version === 'number' ? version : null,
  }
}

async function toldOf(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  { alerted }: Readonly<Record<string, unknown>>,
  userId: string | null,
): Promise<readonly Told[] | null> {
  if (typeof alerted !== 'object' || alerted === null) return null
  const { person, admins } = alerted as { readonly person?: unknown; readonly admins?: unknown }
  const others = Array.isArray(admins) ? admins.filter((one) => typeof one === 'string') : []
  const told = [
    ...(person === true && userId !== null ? [{ userId, as: 'person' as const }] : []),
    ...others.map((one) => ({ userId: one, as: 'admin' as const })),
  ]
  const names = await store.directory.names(
    tenantId,
    told.map((one) => one.userId),
  )
  return told.map((one) => ({ ...one, name: names.get(one.userId) ?? null }))
}

/** The addresses of whoever is not known to be the owner. */
function strangersOf(row: AuditRow, theft: TakenApart | null): readonly string[] {
  if (theft === null) return row.ipAddress === null ? [] : [row.ipAddress]
  const other = theft.branches.filter(({ kind }) => kind === 'other')
  return [...new Set(other.flatMap(({ seen }) => seen.flatMap(({ ipAddress }) => ipAddress ?? [])))]
}

function hasActions({ branches, undecided }: TakenApart): boolean {
  return undecided.length > 0 || branches.some(({ kind, actions }) => kind !== 'owner' && actions.length > 0)
}
