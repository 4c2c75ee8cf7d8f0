import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSigningKeys } from '../../packages/sallyport/src/access-tokens/load-signing-keys.ts'
import { rotateSigningKey } from '../../packages/sallyport/src/access-tokens/rotate-signing-key.ts'
import { secretRing } from '../../packages/sallyport/src/secrets/secret-ring.ts'
import { keyStoreContract } from '../../packages/sallyport/src/store/conformance/keys.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { keyStore } from '../../packages/sallyport/src/store/postgres/keys.ts'
import { migrate } from '../../packages/sallyport/src/store/postgres/migrate.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

describe.skipIf(!hasPostgres)('signing keys on PostgreSQL', () => {
  let at: TestDatabase
  let nodes: readonly Database[]
  let probe: pg.Pool

  beforeAll(async () => {
    at = await createDatabase()
    nodes = Array.from({ length: 3 }, () => nodePostgres({ url: at.url }))
    const [first] = nodes
    if (first) await migrate(first)
    probe = new pg.Pool({ connectionString: at.url, max: 1 })
    // Dropping the database ends what is still closing.
    probe.on('error', () => undefined)
  })
  afterAll(async () => {
    await Promise.all([...nodes.map((node) => node.close()), probe.end()])
    await at.drop()
  })

  const empty = () => probe.query('delete from signing_keys; delete from changes')

  keyStoreContract(test, async () => {
    await empty()
    const audited = async () =>
      (await probe.query<{ id: string }>('select resource_id as id from audit_logs order by created_at, id')).rows
    const before = (await audited()).length
    const [node] = nodes
    if (!node) throw new Error('no node')
    return {
      keys: keyStore(node),
      written: async () => ({
        changes: (
          await probe.query<{ ref: string }>(`select ref from changes where kind = 'key' order by id`)
        ).rows.map(({ ref }) => ref),
        audited: (await audited()).slice(before).map(({ id }) => id),
      }),
    }
  })

  test('three nodes that start at once on an empty database sign with the same key, and rotate it once', async () => {
    for (let round = 0; round < 5; round++) {
      await empty()
      const secrets = secretRing([randomBytes(32).toString('base64url')])
      const rings = await Promise.all(
        nodes.map((node) =>
          loadSigningKeys({ store: keyStore(node), secrets, now: () => new Date(), accessTtlMs: 600_000 }),
        ),
      )
      expect(new Set(rings.map(({ signing }) => signing.kid)).size).toBe(1)
      expect(new Set(rings.map((ring) => JSON.stringify(ring.published().map(({ kid }) => kid)))).size).toBe(1)
      expect(rings[0]?.published()).toHaveLength(2)

      const outcomes = await Promise.all(
        rings.map((keys, node) =>
          rotateSigningKey(
            { store: keyStore(nodes[node] as Database), secrets, keys },
            { minPublishedMs: 0, origin: {} },
          ),
        ),
      )
      // A node that looks only after another has finished may rotate once more.
      expect(outcomes.filter(({ kind }) => kind === 'rotated').length).toBeGreaterThanOrEqual(1)
      const { rows } = await probe.query<{ state: string; n: number }>(
        'select state, count(*)::int as n from signing_keys group by state',
      )
      expect(rows).toEqual(
        expect.arrayContaining([
          { state: 'active', n: 1 },
          { state: 'next', n: 1 },
        ]),
      )
      await Promise.all(rings.map((ring) => ring.reload()))
      expect(new Set(rings.map(({ signing }) => signing.kid)).size).toBe(1)
    }
  })
})
