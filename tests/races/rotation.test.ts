import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import { contain } from '../../packages/sallyport/src/refresh-tokens/contain.ts'
import { hashRefreshToken, parseRefreshToken } from '../../packages/sallyport/src/refresh-tokens/token-format.ts'
import { endSessions } from '../../packages/sallyport/src/sessions/end.ts'
import { revokeOtherSessions } from '../../packages/sallyport/src/sessions/revoke-others.ts'
import { migrate } from '../../packages/sallyport/src/store/postgres/migrate.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import type { TestEngine, TestSession } from '../../packages/sallyport/src/testing/test-engine.ts'
import { inAWord, REQUEST, testEngine, tokensOf } from '../../packages/sallyport/src/testing/test-engine.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

const ROUNDS = Number(process.env['SALLYPORT_RACE_ROUNDS'] ?? 50)
const CONCURRENT = 100

describe.skipIf(!hasPostgres)('races on PostgreSQL, over three nodes', () => {
  let made: TestDatabase
  const nodes: TestEngine[] = []
  const strict: TestEngine[] = []

  beforeAll(async () => {
    made = await createDatabase()
    const first = nodePostgres({ url: made.url })
    await migrate(first)
    await first.close()
    const start = (options: Partial<SallyportOptions>) =>
      testEngine(options, nodePostgres({ url: made.url, poolSize: 8 }))
    // One after the other: who starts first makes the signing keys.
    for (let node = 0; node < 3; node++) nodes.push(await start({}))
    for (let node = 0; node < 3; node++) strict.push(await start({ retry: 'strict' }))
  })
  afterAll(async () => {
    await Promise.all([...nodes, ...strict].map((node) => node.close()))
    await made?.drop()
  })

  const nodeOf = (index: number, among: readonly TestEngine[] = nodes): TestEngine => {
    const node = among[index % among.length]
    if (node === undefined) throw new TypeError('no node')
    return node
  }
  const atOnce = <T>(count: number, work: (node: TestEngine, index: number) => Promise<T>, among = nodes) =>
    Promise.all(Array.from({ length: count }, (_, index) => work(nodeOf(index, among), index)))
  const rounds = async (work: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) await work(round)
  }

  /** What the database holds of a session's lineage. */
  async function lineage({ session }: TestSession) {
    const rows = await nodeOf(0).rows<{
      generation: number
      newest: number
      consumed: boolean
      revoked: boolean
      family_ended: boolean
      session_ended: boolean
    }>(
      `select t.generation, f.generation as newest, t.consumed_at is not null as consumed, t.is_revoked as revoked,
          f.revoked_at is not null as family_ended, s.revoked_at is not null as session_ended
        from refresh_tokens t join token_families f on f.id = t.family_id join user_sessions s on s.id = t.session_id
        where t.session_id = $1 order by t.generation`,
      [session.id],
    )
    return {
      rows,
      generations: rows.map(({ generation }) => generation),
      live: rows.filter(({ consumed, revoked }) => !consumed && !revoked),
      ended: rows.every(({ family_ended, session_ended }) => family_ended && session_ended),
    }
  }

  async function containBy(node: TestEngine, { refreshToken }: { readonly refreshToken: string }) {
    const parsed = parseRefreshToken(node.engine.secrets, refreshToken)
    const facts = parsed && (await node.engine.store.tokens.facts(parsed.tenantId, parsed.hash))
    if (facts === undefined) throw new TypeError('no such token')
    return contain(node.engine, facts, REQUEST)
  }

  test(`${CONCURRENT} refreshes of one token get one successor, and nobody is told of a theft`, async () => {
    let session = await nodeOf(0).signIn()
    await rounds(async (round) => {
      const outcomes = await atOnce(CONCURRENT, (node) => node.refresh(session.refreshToken))
      expect(new Set(outcomes.map(inAWord))).toEqual(new Set(['rotated', 'replayed']))
      expect(outcomes.filter(({ kind }) => kind === 'rotated')).toHaveLength(1)
      const successors = new Set(
        outcomes.map((outcome) => hashRefreshToken(tokensOf(outcome).refreshToken).toString('hex')),
      )
      expect(successors.size).toBe(1)
      const { generations, live } = await lineage(session)
      expect(generations).toEqual(Array.from({ length: round + 2 }, (_, generation) => generation))
      expect(live).toHaveLength(1)
      session = { ...session, ...tokensOf(outcomes[0] as never) }
    })
  }, 600_000)

  test('strict: of 30 refreshes of one token exactly one is answered with tokens, and none of those lives on', async () => {
    await rounds(async (round) => {
      const session = await nodeOf(round, strict).signIn()
      const outcomes = (await atOnce(30, (node) => node.refresh(session.refreshToken), strict)).map(inAWord)
      expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'REFRESH_TOKEN_REUSED')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'REFRESH_TOKEN_REVOKED')).toHaveLength(28)
      const { live, ended } = await lineage(session)
      expect([live.length, ended]).toEqual([0, true])
    })
  }, 600_000)

  test('no successor survives a containment beside its rotation, at whatever moment it comes', async () => {
    await rounds(async (round) => {
      const session = await nodeOf(round).signIn()
      const [outcomes, contained] = await Promise.all([
        atOnce(6, (node) => node.refresh(session.refreshToken)),
        new Promise((resolve) => setTimeout(resolve, round % 8)).then(() => containBy(nodeOf(round + 1), session)),
      ])
      expect(contained).toBe(true)
      const { live, ended } = await lineage(session)
      expect([live.length, ended]).toEqual([0, true])
      for (const outcome of outcomes) {
        if (outcome.kind === 'refused') continue
        expect(inAWord(await nodeOf(round).refresh(outcome.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
      }
    })
  }, 600_000)

  test('of two containments of one family one takes effect, and the version goes up by one', async () => {
    await rounds(async (round) => {
      const session = await nodeOf(round).signIn()
      const all = await atOnce(2, (node) => containBy(node, session))
      expect(all.filter(Boolean)).toHaveLength(1)
      const rows = await nodeOf(0).rows('select session_version as v from tenant_staff where id = $1', [
        session.staffId,
      ])
      expect(rows).toEqual([{ v: 2 }])
    })
  }, 600_000)

  test('containments of many families of one member beside their rotations all end, and end everything', async () => {
    for (let round = 0; round < Math.ceil(ROUNDS / 5); round++) {
      const member = await nodeOf(round).member()
      const sessions = await Promise.all(Array.from({ length: 6 }, (_, index) => nodeOf(index).signIn(member)))
      await Promise.all([
        ...sessions.map((session, index) => nodeOf(index).refresh(session.refreshToken)),
        ...sessions.map((session, index) => containBy(nodeOf(index + 1), session)),
      ])
      for (const session of sessions) {
        const { live, ended } = await lineage(session)
        expect([live.length, ended]).toEqual([0, true])
      }
    }
  }, 600_000)

  test('a force logout beside a rotation leaves neither a live token nor a session', async () => {
    await rounds(async (round) => {
      const session = await nodeOf(round).signIn()
      const { tenantId, staffId } = session
      const [outcomes] = await Promise.all([
        atOnce(3, (node) => node.refresh(session.refreshToken)),
        endSessions(
          nodeOf(round + 1).engine,
          { of: 'staff', tenantId, staffId },
          { reason: 'force_logout', bumpVersion: true },
          () => [],
        ),
      ])
      const { live, ended } = await lineage(session)
      expect([live.length, ended]).toEqual([0, true])
      for (const outcome of outcomes) {
        if (outcome.kind !== 'refused')
          expect(await nodeOf(round + 1).access(outcome.accessToken)).toBe('SESSION_INVALIDATED')
      }
    })
  }, 600_000)

  test('a sign-in beside a force logout is of the new version, or is refused at its first request and refresh', async () => {
    await rounds(async (round) => {
      const member = await nodeOf(round).member()
      const { tenantId, staffId } = member
      const [session] = await Promise.all([
        nodeOf(round).signIn(member),
        endSessions(
          nodeOf(round + 1).engine,
          { of: 'staff', tenantId, staffId },
          { reason: 'force_logout', bumpVersion: true },
          () => [],
        ),
      ])
      const strictly = nodeOf(round, strict)
      const request = await strictly.access(session.accessToken)
      const refreshed = inAWord(await nodeOf(round).refresh(session.refreshToken))
      if (session.session.sessionVersion === 2) expect([request, refreshed]).toEqual(['live', 'rotated'])
      else {
        expect(request).toBe('SESSION_INVALIDATED')
        expect(['SESSION_INVALIDATED', 'REFRESH_TOKEN_REVOKED']).toContain(refreshed)
      }
    })
  }, 600_000)

  test('revoke-others beside the refreshes of all keeps the current session and ends every other', async () => {
    await rounds(async (round) => {
      const node = nodeOf(round)
      const member = await node.member()
      const current = await node.signIn(member)
      const others = [await node.signIn(member), await node.signIn(member)]
      const caller = await node.instance.authenticate(current.accessToken)
      const [outcome, { revoked }] = await Promise.all([
        nodeOf(round + 1).refresh(current.refreshToken),
        revokeOtherSessions(node.engine, caller, REQUEST),
        ...others.map((other, index) => nodeOf(index).refresh(other.refreshToken)),
      ])
      expect(revoked).toBe(2)
      expect(inAWord(outcome)).toBe('rotated')
      expect(await node.access(tokensOf(outcome).accessToken)).toBe('live')
      expect(await lineage(current)).toMatchObject({ ended: false, live: { length: 1 } })
      for (const other of others) {
        const { live, ended } = await lineage(other)
        expect([live.length, ended]).toEqual([0, true])
      }
    })
  }, 600_000)

  test('logouts of one session at once are one', async () => {
    await rounds(async (round) => {
      const session = await nodeOf(round).signIn()
      const { tenantId } = session
      const all = await atOnce(6, (node) =>
        endSessions(
          node.engine,
          { of: 'session', tenantId, sessionId: session.session.id },
          { reason: 'logout', bumpVersion: false },
          () => [],
        ),
      )
      expect(all.filter((ended) => (ended?.sessions.length ?? 0) > 0)).toHaveLength(1)
    })
  }, 600_000)
})
