/**
 * Rotation in the engine, 16 in flight: ours beside the plain design and beside the least that a rotation can be.
 *
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Context, Figure, Report } from '../bench.ts'
import { administer, settle, withDatabase } from '../database.ts'
import type { BenchSession, RunSql } from '../fixtures.ts'
import { addMembers, openGuard, REQUEST, signIn, USER_AGENT } from '../fixtures.ts'
import type { Sallyport } from '../library.ts'
import {
  auditRow,
  issueSuccessor,
  openFolder,
  parseRefreshToken,
  pgliteDatabase,
  postgres,
  postgresStore,
  refresh,
  reliedOn,
} from '../library.ts'
import type { Contender } from '../measure.ts'
import { byTurns, compare, rateOf } from '../measure.ts'
import { hasPgbench, pgbench } from '../references/pgbench.ts'
import type { PlainSession, RunNamed } from '../references/plain-rotation.ts'
import { addFamilies, addPlainSessions, PLAIN_TABLES, rotateInFive, rotateInOne } from '../references/plain-rotation.ts'
import { sqlOn } from '../references/sql.ts'

const IN_FLIGHT = 16
const FAMILIES = 640

export const rotationBench: Bench = {
  name: 'rotation',
  title: 'Rotate in the engine, 16 in flight',
  async run(context) {
    const served = await onPostgres(context)
    const embedded = await onPglite(context)
    return {
      figures: [...served.figures, ...embedded.figures],
      comparisons: [...served.comparisons, ...embedded.comparisons],
      notes: [...(served.notes ?? []), ...(embedded.notes ?? [])],
    }
  },
}

function onPostgres({ full, postgresUrl }: Context): Promise<Report> {
  return withDatabase(postgresUrl, async (url) => {
    const { pool, run, end } = sqlOn(url, IN_FLIGHT)
    const named: RunNamed = (name, text, values) => pool.query({ name, text, values })
    await administer(url, PLAIN_TABLES, addFamilies(FAMILIES))
    const plain = await addPlainSessions(named, FAMILIES)
    const guard = await openGuard(postgres({ url, poolSize: IN_FLIGHT }))
    const milliseconds = full ? 10_000 : 1_500
    const pgbenchThere = await hasPgbench()
    try {
      const sessions = await signIn(guard, await addMembers(run, FAMILIES))
      const contenders: Contender[] = [
        { name: 'ours, rotation alone', run: () => rateOf(milliseconds, IN_FLIGHT, rotations(guard, sessions)) },
        {
          name: 'ours, refresh with access token',
          run: () => rateOf(milliseconds, IN_FLIGHT, refreshes(guard, sessions)),
        },
        {
          name: 'one prepared statement, node-postgres',
          run: () =>
            rateOf(milliseconds, IN_FLIGHT, () => rotateInOne(named, 1 + Math.floor(Math.random() * FAMILIES))),
        },
        { name: 'five statements', run: () => rateOf(milliseconds, IN_FLIGHT, inFive(plain, named)) },
        {
          name: 'five in a transaction',
          run: () =>
            rateOf(
              milliseconds,
              IN_FLIGHT,
              turns(plain, async (session) => {
                const client = await pool.connect()
                try {
                  await client.query('begin')
                  const { token } = await rotateInFive(
                    (name, text, values) => client.query({ name, text, values }),
                    session.token,
                    REQUEST.ipAddress,
                    USER_AGENT,
                  )
                  await client.query('commit')
                  session.token = token
                } finally {
                  client.release()
                }
              }),
            ),
        },
      ]
      if (pgbenchThere) {
        const seconds = Math.ceil(milliseconds / 1000)
        contenders.push({
          name: 'one prepared statement, pgbench',
          run: () => pgbench(url, { seconds, clients: IN_FLIGHT, families: FAMILIES }),
        })
      }
      // The server does so by itself within a minute of a table's growing.
      await administer(url, 'analyze')
      await settle(url)
      const figures = await byTurns(contenders, full ? 5 : 3, '/s')
      const [alone, whole, one, five, transaction, bench] = figures as [Figure, Figure, Figure, Figure, Figure, Figure?]
      const goal = { kind: 'at least', value: 0.6 } as const
      return {
        figures,
        comparisons: [
          compare('rotation, PostgreSQL', alone, bench ?? one, goal),
          ...(bench === undefined ? [] : [compare('rotation, PostgreSQL', alone, one)]),
          compare('rotation, PostgreSQL', alone, five),
          compare('rotation, PostgreSQL', alone, transaction),
          compare('refresh with access token, PostgreSQL', whole, bench ?? one),
        ],
        notes: pgbenchThere ? [] : ['pgbench is not on this machine: the limit is the one of node-postgres alone'],
      }
    } finally {
      await end()
      await guard.close()
    }
  })
}

async function onPglite({ full }: Context): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  const pglite = await openFolder(folder)
  const guard = await openGuard(postgresStore(pgliteDatabase(pglite)))
  try {
    const run: RunSql = (text, values) => pglite.query(text, values)
    const named = (async (_name, text, values) => pglite.query(text, values)) as RunNamed
    await pglite.exec(PLAIN_TABLES)
    const plain = await addPlainSessions(named, 128)
    const sessions = await signIn(guard, await addMembers(run, 128))
    const milliseconds = full ? 5_000 : 1_000
    const figures = await byTurns(
      [
        {
          name: 'PGlite: ours, rotation alone',
          run: () => rateOf(milliseconds, IN_FLIGHT, rotations(guard, sessions)),
        },
        {
          name: 'PGlite: ours, refresh with access token',
          run: () => rateOf(milliseconds, IN_FLIGHT, refreshes(guard, sessions)),
        },
        { name: 'PGlite: five statements', run: () => rateOf(milliseconds, IN_FLIGHT, inFive(plain, named)) },
      ],
      full ? 5 : 3,
      '/s',
    )
    const [alone, whole, five] = figures as [Figure, Figure, Figure]
    return {
      figures,
      comparisons: [
        compare('rotation, PGlite', alone, five, { kind: 'at least', value: 4 }),
        compare('refresh with access token, PGlite', whole, five),
      ],
    }
  } finally {
    await guard.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What a refresh is without its risk and its access token: facts as this node knows them, successor, and the one conditional write with its audit row. */
function rotations(guard: Sallyport, sessions: BenchSession[]): (worker: number) => Promise<void> {
  const { engine } = guard
  return turns(sessions, async (session, at) => {
    const parsed = parseRefreshToken(engine.secrets, session.refreshToken)
    if (parsed === undefined) throw new Error('a token of ours was not recognised')
    const { idleMs, maxSessionLifeMs, refreshTtlMs, risk } = engine.settings
    const { rapidWindowMs } = risk.thresholds
    const windows = { device: undefined, idleMs, maxSessionLifeMs, rapidWindowMs }
    const known = engine.lineages.take(parsed, engine.live.date())
    const facts = known?.facts ?? (await engine.store.tokens.facts(parsed.tenantId, parsed.hash, windows))
    if (facts === undefined || facts.session === null) throw new Error('a token of ours is not in the database')
    const lineage = { device: undefined, facts: { ...facts, session: facts.session } }
    const successor = issueSuccessor(engine, parsed, REQUEST)
    const claim = await engine.store.tokens.rotate({
      tenantId: facts.tenantId,
      familyId: facts.family.id,
      parentId: facts.token.id,
      generation: facts.token.generation,
      successor: successor.stored,
      ttlMs: refreshTtlMs,
      relied: known && reliedOn(lineage, windows),
      audit: auditRow(
        {
          tenantId: facts.tenantId,
          userId: facts.userId,
          actorName: facts.session.user.name,
          staffId: facts.session.staffId,
          sessionId: facts.session.id,
          action: 'AUTH_TOKEN_REFRESH',
          resource: 'auth_refresh',
          resourceId: facts.session.id,
          metadata: { familyId: facts.family.id, generation: facts.token.generation + 1 },
          request: REQUEST,
        },
        facts.now,
      ),
    })
    if (claim !== 'won') throw new Error('a rotation was lost without a rival')
    engine.lineages.rotated(lineage, successor.stored, refreshTtlMs, facts.session)
    sessions[at] = { ...session, refreshToken: successor.raw }
  })
}

function refreshes({ engine }: Sallyport, sessions: BenchSession[]): (worker: number) => Promise<void> {
  return turns(sessions, async (session, at) => {
    const outcome = await refresh(engine, { refreshToken: session.refreshToken, request: REQUEST })
    if (outcome.kind !== 'rotated') throw new Error(`a refresh ended as ${outcome.kind}`)
    sessions[at] = { ...session, refreshToken: outcome.refreshToken }
  })
}

function inFive(sessions: PlainSession[], run: RunNamed): (worker: number) => Promise<void> {
  return turns(sessions, async (session) => {
    session.token = (await rotateInFive(run, session.token, REQUEST.ipAddress, USER_AGENT)).token
  })
}

/** Gives each worker sessions of its own, in turn: nobody waits for another's row. */
function turns<S>(sessions: S[], work: (session: S, at: number) => Promise<void>): (worker: number) => Promise<void> {
  const next = Array.from({ length: IN_FLIGHT }, (_, worker) => worker)
  return async (worker) => {
    const at = next[worker] as number
    next[worker] = at + IN_FLIGHT < sessions.length ? at + IN_FLIGHT : worker
    await work(sessions[at] as S, at)
  }
}
