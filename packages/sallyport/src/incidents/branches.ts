/**
 * Takes a stolen lineage apart: where it parted in two, who held which part, and who did what since.
 *
 * A spent token that came back shows that two hold it. One spent it first, and went on along the family's generations; the other
 * came back with it. Which of them is the owner no token tells. What is known is what each was seen with, what the session was
 * seen with before they parted, and with which generation's access token a request was made.
 *
 * @module
 */

import { networkOf } from '../audit/flood-gate.ts'
import type { AuditRow } from '../audit/record.ts'
import { deviceLabel } from '../internal/device-digest.ts'
import { agentFamilies } from '../risk/agent-families.ts'
import type { FamilyRecord, FamilyToken } from '../store/contract/tokens.ts'
import { detailsOf } from './list.ts'

/** From where, and with what, somebody was seen. */
export interface Mark {
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  /** Tells devices apart, and names none; null where the client showed none. */
  readonly device: string | null
}

export interface Sighting extends Mark {
  readonly at: Date
}

/** A generation as it was handed out. */
export interface BranchToken extends Mark {
  readonly generation: number
  readonly issuedAt: Date
  /** When it was exchanged for the next; null where it never was. */
  readonly usedAt: Date | null
  /** When a spent one came back and betrayed the theft. */
  readonly reusedAt: Date | null
  /** Retries that were answered with this very generation once more. */
  readonly handedOutAgain: readonly (Sighting & { readonly cause: string })[]
}

/** By what a row was put to a branch; the first is certain as far as tokens go, the last is a guess. */
export type Attribution = 'generation' | 'address_and_agent' | 'address' | 'agent'

export interface Action {
  readonly row: AuditRow
  readonly by: Attribution | null
}

/** How far a branch was seen with what the session was seen with before they parted. Null where either side shows nothing. */
export interface Resemblance {
  readonly network: boolean | null
  readonly agent: boolean | null
  readonly device: boolean | null
}

export interface Branch {
  /** `went_on`: spent the token first. `came_back`: presented it when it was spent. */
  readonly id: 'went_on' | 'came_back'
  /**
   * `owner`: it resembles the session as it was, and the other one does not; that one is `other`. `unknown` where the evidence does
   * not tell. Never a proof.
   */
  readonly kind: 'owner' | 'other' | 'unknown'
  readonly resembles: Resemblance
  readonly firstSeenAt: Date | null
  readonly lastSeenAt: Date | null
  /** Everything that it was seen with, newest first. */
  readonly seen: readonly Sighting[]
  readonly tokens: readonly BranchToken[]
  readonly actions: readonly Action[]
}

export interface Parting {
  /** The generation that both held. */
  readonly generation: number
  /** When it was spent; null where that is not known any more. */
  readonly at: Date | null
}

export interface TakenApart {
  readonly parted: Parting
  /** The generations up to the parting, as far as they were read. */
  readonly before: readonly BranchToken[]
  readonly branches: readonly Branch[]
  /** What was done in the session since they parted, and could have been either's. */
  readonly undecided: readonly Action[]
}

/**
 * @param incident The row of the detected reuse.
 * @param lineage What is kept of the family; `undefined` once it was cleaned up.
 * @param rows What was recorded of the session, from before they parted, in any order.
 */
export function takeApart(
  incident: AuditRow,
  lineage: FamilyRecord | undefined,
  rows: readonly AuditRow[],
): TakenApart {
  const details = detailsOf(incident)
  const generation = Number(details['generation'] ?? 0)
  const refreshes = rows.filter(({ action, outcome }) => action === 'AUTH_TOKEN_REFRESH' && outcome === 'SUCCESS')
  const tokens = (lineage?.tokens ?? []).map((token) => branchToken(token, refreshes, rows))
  const before = tokens.filter((token) => token.generation <= generation)
  const after = tokens.filter((token) => token.generation > generation)
  const firstUse = partOf(details['firstUse'])
  const replay = partOf(details['replay'])

  const spentAt = tokens.find((token) => token.generation === generation)?.usedAt ?? dateOf(firstUse['consumedAt'])
  const wentOn: readonly Sighting[] =
    after.length > 0 ? after.map(sightingOf) : spentAt === null ? [] : [{ at: spentAt, ...markOf(firstUse) }]
  const cameBack: readonly Sighting[] = [
    {
      at: incident.createdAt,
      ipAddress: incident.ipAddress,
      country: incident.country,
      city: incident.city,
      userAgent: incident.userAgent,
      device: textOf(replay['deviceName']),
    },
  ]
  const trunk = before.length > 0 ? before.map(sightingOf) : []
  const [first, second] = [resemblance(wentOn, trunk), resemblance(cameBack, trunk)]
  const kinds = kindsOf(first, second)
  const since = spentAt ?? incident.createdAt
  const done = rows.filter((row) => isAction(row, incident) && row.createdAt >= since)
  const placed = done.map((row) => ({ row, ...placeRow(row, { generation, wentOn, cameBack, after }) }))
  const actionsOf = (id: Branch['id']) =>
    placed.filter(({ branch }) => branch === id).map(({ row, by }) => ({ row, by }))

  return {
    parted: { generation, at: spentAt },
    before,
    branches: [
      branch('went_on', kinds[0], first, wentOn, after, actionsOf('went_on')),
      branch('came_back', kinds[1], second, cameBack, [], actionsOf('came_back')),
    ],
    undecided: placed.filter((one) => one.branch === undefined).map(({ row }) => ({ row, by: null })),
  }
}

function branch(
  id: Branch['id'],
  kind: Branch['kind'],
  resembles: Resemblance,
  sightings: readonly Sighting[],
  tokens: readonly BranchToken[],
  actions: readonly Action[],
): Branch {
  const acted = actions.map(({ row }) => ({ at: row.createdAt, ...markOfRow(row) }))
  const all = [...sightings, ...tokens.flatMap(({ handedOutAgain }) => handedOutAgain), ...acted]
  const times = all.map(({ at }) => at.getTime()).sort((a, b) => a - b)
  return {
    id,
    kind,
    resembles,
    firstSeenAt: times[0] === undefined ? null : new Date(times[0]),
    lastSeenAt: times.length === 0 ? null : new Date(times.at(-1) as number),
    seen: distinct(all),
    tokens,
    actions,
  }
}

/** The row of the request that a generation was made for knows more of it than the token does: the place, and the device by its cookie. */
function branchToken(token: FamilyToken, refreshes: readonly AuditRow[], rows: readonly AuditRow[]): BranchToken {
  const own = refreshes.filter((row) => detailsOf(row)['generation'] === token.generation)
  const made =
    token.generation === 0
      ? rows.find(({ action }) => action === 'SESSION_CREATED')
      : own.find((row) => detailsOf(row)['replayed'] === undefined)
  const again = own.filter((row) => detailsOf(row)['replayed'] !== undefined)
  return {
    generation: token.generation,
    issuedAt: token.issuedAt,
    usedAt: token.consumedAt,
    reusedAt: token.suspiciousReuseAt,
    ...(made === undefined
      ? {
          ipAddress: token.ipAddress,
          country: null,
          city: null,
          userAgent: token.userAgent,
          device: deviceLabel({ fingerprint: token.deviceFingerprint, cookieHash: null }),
        }
      : markOfRow(made)),
    handedOutAgain: again.map((row) => ({
      at: row.createdAt,
      ...markOfRow(row),
      cause: String(detailsOf(row)['replayed']),
    })),
  }
}

interface Sides {
  readonly generation: number
  readonly wentOn: readonly Sighting[]
  readonly cameBack: readonly Sighting[]
  readonly after: readonly BranchToken[]
}

interface Placed {
  readonly branch: Branch['id'] | undefined
  readonly by: Attribution | null
}

/** An address or a program that both were seen with tells nothing. */
function placeRow(row: AuditRow, { generation, wentOn, cameBack, after }: Sides): Placed {
  const used = generationOf(row)
  const again = after.flatMap(({ handedOutAgain }) => handedOutAgain)
  // Only who went on was ever given a later generation, unless a retry was answered with one from elsewhere.
  const strangers = again.some((one) => !wentOn.some((mark) => sameAddress(mark, one) && sameAgent(mark, one)))
  if (used > generation && !strangers) return { branch: 'went_on', by: 'generation' }
  const seenWith = [...wentOn, ...again]
  const tests = {
    address_and_agent: (mark: Mark) => sameAddress(mark, row) && sameAgent(mark, row),
    address: (mark: Mark) => sameAddress(mark, row),
    agent: (mark: Mark) => sameAgent(mark, row),
  } as const
  for (const by of ['address_and_agent', 'address', 'agent'] as const) {
    const [ours, theirs] = [seenWith.some(tests[by]), cameBack.some(tests[by])]
    if (ours !== theirs) return { branch: ours ? 'went_on' : 'came_back', by }
  }
  return { branch: undefined, by: null }
}

/** Of the access token that a request was made with, or of the refresh token that it presented; -1 where the row does not tell. */
function generationOf(row: AuditRow): number {
  const { tokenGeneration, generation } = detailsOf(row)
  const used = row.action === 'AUTH_REFRESH_FAILED' ? generation : tokenGeneration
  return typeof used === 'number' ? used : -1
}

/** What somebody did, and what was refused them: not the refreshes, which are the tokens', nor what the containment itself wrote. */
function isAction({ id, action, correlationId }: AuditRow, incident: AuditRow): boolean {
  return id !== incident.id && correlationId !== incident.correlationId && action !== 'AUTH_TOKEN_REFRESH'
}

function resemblance(branch: readonly Mark[], trunk: readonly Mark[]): Resemblance {
  return {
    network: shares(branch, trunk, ({ ipAddress }) => (ipAddress === null ? null : networkOf(ipAddress))),
    agent: shares(branch, trunk, ({ userAgent }) => (userAgent === null ? null : agentFamilies(userAgent))),
    device: shares(branch, trunk, ({ device }) => device),
  }
}

function shares(branch: readonly Mark[], trunk: readonly Mark[], trait: (mark: Mark) => string | null): boolean | null {
  const known = new Set(trunk.map(trait).filter((one) => one !== null))
  const shown = branch.map(trait).filter((one) => one !== null)
  return known.size === 0 || shown.length === 0 ? null : shown.some((one) => known.has(one))
}

/** One is the owner's only where it alone is like the session before. */
function kindsOf(first: Resemblance, second: Resemblance): readonly [Branch['kind'], Branch['kind']] {
  const [a, b] = [isLike(first), isLike(second)]
  if (a === b) return ['unknown', 'unknown']
  return a ? ['owner', 'other'] : ['other', 'owner']
}

/** The device decides where there is one to compare; else network and program together. */
function isLike({ device, network, agent }: Resemblance): boolean {
  return device ?? (network === true && agent === true)
}

function sameAddress(mark: Mark, { ipAddress }: Pick<Mark, 'ipAddress'>): boolean {
  return mark.ipAddress !== null && mark.ipAddress === ipAddress
}

function sameAgent(mark: Mark, { userAgent }: Pick<Mark, 'userAgent'>): boolean {
  return mark.userAgent !== null && mark.userAgent === userAgent
}

function sightingOf({ issuedAt, ipAddress, country, city, userAgent, device }: BranchToken): Sighting {
  return { at: issuedAt, ipAddress, country, city, userAgent, device }
}

function markOfRow(row: AuditRow): Mark {
  const { ipAddress, country, city, userAgent } = row
  return { ipAddress, country, city, userAgent, device: textOf(detailsOf(row)['device']) }
}

function markOf(part: Readonly<Record<string, unknown>>): Mark {
  return {
    ipAddress: textOf(part['ipAddress']),
    country: null,
    city: null,
    userAgent: textOf(part['userAgent']),
    device: deviceLabel({ fingerprint: textOf(part['device']), cookieHash: null }),
  }
}

/** Newest first, each once. A place that a later sighting does not tell is taken from an earlier one of the same address. */
function distinct(sightings: readonly Sighting[]): readonly Sighting[] {
  const newest = [...sightings].sort((a, b) => b.at.getTime() - a.at.getTime())
  const kept = new Map<string, Sighting>()
  for (const one of newest) {
    const key = JSON.stringify([one.ipAddress, one.userAgent])
    const known = kept.get(key)
    kept.set(
      key,
      known === undefined
        ? one
        : {
            ...known,
            country: known.country ?? one.country,
            city: known.country === null ? one.city : known.city,
            device: known.device ?? one.device,
          },
    )
  }
  return [...kept.values()]
}

function partOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function dateOf(value: unknown): Date | null {
  const at = typeof value === 'string' ? new Date(value) : undefined
  return at === undefined || Number.isNaN(at.getTime()) ? null : at
}
