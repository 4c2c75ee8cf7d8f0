/**
 * What the store contract needs of an implementation under test, and the people and tokens that its cases are about.
 *
 * @module
 */

import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { AuditRow } from '../../audit/record.ts'
import { auditRow } from '../../audit/record.ts'
import { SallyportError } from '../../errors.ts'
import type { ChallengeId, FamilyId, SessionId, StaffId, TenantId, TokenId, UserId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { Change } from '../contract/feed.ts'
import type { NewSession } from '../contract/sessions.ts'
import type { ClockShift, Store } from '../contract/store.ts'
import type { NewToken, RefreshFacts } from '../contract/tokens.ts'
import type { KeyStoreUnderTest } from './keys.ts'

/** The part of a test runner that the contract uses; vitest, node:test and mocha fit as they are. */
export interface Runner {
  readonly test: (name: string, body: () => Promise<void>) => void
}

export interface MemberIds {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
}

/** The ports that the contract tries. */
export type StoreUnderTest = Pick<Store, 'tokens' | 'sessions' | 'risk' | 'feed' | 'audit' | 'ledger' | 'overview'>

/** A store whose connection breaks at one statement. */
export interface BrokenStore {
  readonly store: StoreUnderTest
  /** Whether the statement was reached. */
  readonly broke: () => boolean
}

/** An implementation under test. What its methods do, they do past the ports. */
export interface StoreHarness {
  readonly store: StoreUnderTest
  readonly clock: ClockShift
  /** Makes an enabled member; whatever is not named is made too. */
  member(of?: { readonly tenantId?: TenantId; readonly userId?: UserId }): Promise<MemberIds>
  /** Disables the staff member, the user or the tenant, and does nothing else. */
  disable(what: 'staff' | 'user' | 'tenant', member: MemberIds): Promise<void>
  /** Raises the staff member's version, and does nothing else. */
  raiseVersion(member: MemberIds): Promise<void>
  /** Makes a session wait for a step-up, and does nothing else. */
  hold(sessionId: SessionId): Promise<void>
  /** Makes a device one of the member's trusted ones, and does nothing else. */
  trust(member: MemberIds, device: string, forMs: number): Promise<void>
  /** Passes the step-up that a refresh waits for, good for ten minutes, and does nothing else. */
  passRiskStepUp(of: {
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly sessionId: SessionId
    readonly presented: string
    readonly boundTo: string
  }): Promise<ChallengeId>
  /** What no port tells of a token. */
  token(tokenId: TokenId): Promise<{
    readonly nonce: Uint8Array | null
    readonly confirmedAt: Date | null
    readonly suspiciousReuseAt: Date | null
    readonly replacedByTokenId: TokenId | null
  }>
  /** How many tokens a family has. */
  familySize(familyId: FamilyId): Promise<number>
  /** Of these audit rows, the ids that also wait for the sealer. */
  pending(ids: readonly string[]): Promise<readonly string[]>
  /**
   * A store over the same data whose connection breaks at the statement with this number, counted from 0 and the COMMIT
   * included: before the statement reaches the server, or after it took effect and before the reply arrives.
   */
  breaking(statement: number, when: 'before' | 'after'): BrokenStore
  /** The port of signing keys, emptied. */
  emptyKeys(): Promise<KeyStoreUnderTest>
}

/** Opens the implementation under test; each case asks, so that one database may serve them all. */
export type OpenHarness = () => Promise<StoreHarness>

export const DAY = 86_400_000

/** Any bytes will do: a store reads neither the hash nor the nonce. */
export function newToken(): NewToken {
  return {
    id: newId<TokenId>(),
    tokenHash: randomBytes(32),
    nonce: randomBytes(16),
    secretId: '0123456789',
    ipAddress: '192.0.2.7',
    userAgent: 'contract/1',
    deviceFingerprint: null,
    deviceInfo: { screen: '1x1' },
  }
}

/** A session about to be created. */
export function newSession(member: MemberIds, given: Partial<NewSession> = {}): NewSession {
  return {
    ...member,
    id: newId<SessionId>(),
    delivery: 'body',
    lifeMs: 30 * DAY,
    ipAddress: '192.0.2.7',
    userAgent: 'contract/1',
    place: { country: null, city: null, latitude: null, longitude: null },
    deviceFingerprint: null,
    deviceCookieHash: null,
    deviceInfo: null,
    amr: ['pwd'],
    familyId: newId<FamilyId>(),
    binding: { type: 'none' },
    token: newToken(),
    tokenTtlMs: 3 * DAY,
    ...given,
  }
}

/** A case's own mark on its audit rows. */
export class Marked {
  readonly mark: string = newId()
  readonly #tenantId: string | null

  constructor(tenantId: string | null) {
    this.#tenantId = tenantId
  }

  row(now: Date = new Date()): AuditRow {
    const { mark } = this
    return auditRow({ tenantId: this.#tenantId, action: 'SESSION_REVOKED', resource: 'session', resourceId: mark }, now)
  }

  readonly of = (_facts: unknown, now: Date): readonly AuditRow[] => [this.row(now)]

  /** How many rows with this mark were written. Each MUST wait for the sealer too. */
  async written({ store, pending }: StoreHarness): Promise<number> {
    const page = await store.audit.page({ tenantId: this.#tenantId ?? '', limit: 1000 })
    const ids = page.filter(({ resourceId }) => resourceId === this.mark).map(({ id }) => id)
    deepEqual([...(await pending(ids))].sort(), [...ids].sort())
    return ids.length
  }
}

/** Somebody with a session, made through the port. */
export interface SignedIn extends MemberIds {
  readonly session: NewSession
  readonly mark: Marked
}

export async function signIn(
  harness: StoreHarness,
  member?: MemberIds,
  given: Partial<NewSession> = {},
): Promise<SignedIn> {
  const who = member ?? (await harness.member())
  const session = newSession(who, given)
  const creation = await harness.store.sessions.create(session, () => [])
  equal(creation.kind, 'created')
  return { tenantId: who.tenantId, userId: who.userId, staffId: who.staffId, session, mark: new Marked(who.tenantId) }
}

/** The facts of a token that is there. */
export async function factsOf(
  { store }: Pick<StoreHarness, 'store'>,
  tenantId: TenantId,
  token: Pick<NewToken, 'tokenHash'>,
): Promise<RefreshFacts> {
  const facts = await store.tokens.facts(tenantId, token.tokenHash)
  ok(facts, 'the token is not there')
  return facts
}

/** The kinds of what the feed tells about one thing. */
export async function changesOf({ store }: StoreHarness, ref: string): Promise<readonly Change['kind'][]> {
  const { changes } = await store.feed.poll({ seen: [], sinceMs: 0 })
  return changes.filter((change) => change.ref === ref).map(({ kind }) => kind)
}

/** Does something when this much more time has passed by the database's clock. */
export async function later<T>({ clock }: StoreHarness, ms: number, work: () => Promise<T>): Promise<T> {
  clock.offsetMs += ms
  try {
    return await work()
  } finally {
    clock.offsetMs -= ms
  }
}

/** A write that the contract breaks at each of its statements. */
export interface Breakable {
  /** Does the write, on a store that may break. */
  readonly write: (store: StoreUnderTest) => Promise<unknown>
  /** Whether the change took effect, whole; MUST throw when only a part of it did. */
  readonly happened: (harness: StoreHarness) => Promise<boolean>
  /** Its audit row, where it has one. */
  readonly mark?: Marked | undefined
}

/** Far more statements than any write has. */
const MOST_STATEMENTS = 60

/**
 * Registers the two twins of a write: "failed before" and "failed after" persisting, at every statement in turn. In either
 * case the caller MUST be told `UNAVAILABLE`, and change and audit row MUST be there together or not at all.
 *
 * @param prepare Makes what is written to, anew for each break.
 */
export function breaksCleanly(
  { test }: Runner,
  open: OpenHarness,
  name: string,
  prepare: (harness: StoreHarness) => Promise<Breakable>,
): void {
  for (const when of ['before', 'after'] as const) {
    test(`${name}: a connection that breaks ${when} a statement leaves change and audit row, or neither`, async () => {
      const harness = await open()
      let last = false
      for (let statement = 0; ; statement++) {
        ok(statement < MOST_STATEMENTS, 'the write never ends')
        const { write, happened, mark } = await prepare(harness)
        equal(await happened(harness), false, 'prepared as if it had happened')
        const { store, broke } = harness.breaking(statement, when)
        const outcome = await write(store).then(
          () => undefined,
          (error: unknown) => error,
        )
        const done = await happened(harness)
        if (mark !== undefined) equal(await mark.written(harness), done ? 1 : 0, `statement ${statement}: half written`)
        if (!broke()) {
          equal(outcome, undefined)
          equal(done, true)
          break
        }
        ok(
          outcome instanceof SallyportError && outcome.code === 'UNAVAILABLE',
          `statement ${statement}: ${String(outcome)}`,
        )
        if (when === 'before') equal(done, false, `statement ${statement}: written without its last statement`)
        last = done
      }
      // The reply to the last statement is the one whose loss hides a success.
      if (when === 'after') equal(last, true)
    })
  }
}

/** Registers a case: a write whose audit row cannot be made does not happen. */
export function needsItsAudit(
  { test }: Runner,
  open: OpenHarness,
  name: string,
  prepare: (harness: StoreHarness) => Promise<{
    readonly write: (audit: () => never) => Promise<unknown>
    readonly happened: () => Promise<boolean>
  }>,
): void {
  test(`${name}: a change whose audit row cannot be made does not happen`, async () => {
    const { write, happened } = await prepare(await open())
    await rejects(
      write(() => {
        throw new TypeError('no row')
      }),
    )
    equal(await happened(), false)
  })
}
