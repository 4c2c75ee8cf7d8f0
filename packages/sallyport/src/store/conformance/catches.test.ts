import type { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TenantId } from '../../ids.ts'
import type { TokenStore } from '../contract/tokens.ts'
import { openInMemory } from '../pglite/open.ts'
import type { Database } from '../postgres/database.ts'
import { pgliteDatabase } from '../postgres/pglite.ts'
import { breakingPglite } from '../postgres/testing/breaking.ts'
import { portsOf, postgresHarness, rowsOf } from '../postgres/testing/harness.ts'
import { sessionStoreContract } from './sessions.ts'
import type { OpenHarness, Runner, StoreHarness } from './harness.ts'
import { tokenStoreContract } from './tokens.ts'

let pglite: PGlite
let database: Database
beforeAll(async () => {
  pglite = await openInMemory()
  database = pgliteDatabase(pglite)
})
afterAll(() => pglite?.close())

const good = (): StoreHarness =>
  postgresHarness(database, (fault) => pgliteDatabase(breakingPglite(pglite, fault), database.clock))

/** The cases that a store fails, by name. */
async function failuresOf(
  contract: (runner: Runner, open: OpenHarness) => void,
  harness: StoreHarness,
  which: RegExp,
): Promise<readonly string[]> {
  const cases: { readonly name: string; readonly body: () => Promise<void> }[] = []
  contract({ test: (name, body) => cases.push({ name, body }) }, async () => harness)
  const failed: string[] = []
  for (const { name, body } of cases.filter((one) => which.test(one.name))) {
    await body().catch(() => failed.push(name))
  }
  return failed
}

function withTokens(tokens: Partial<TokenStore>): StoreHarness {
  const { store, ...harness } = good()
  return { ...harness, store: { ...store, tokens: { ...store.tokens, ...tokens } } }
}

describe('the store contract tells good from bad', () => {
  test('a rotation that reads first and writes then is caught', async () => {
    const readThenWrite: TokenStore['rotate'] = async (rotation) => {
      const { tenantId, familyId, parentId, generation, successor, ttlMs } = rotation
      const [parent] = await rowsOf<{ user_id: string; session_id: string; staff_id: string }>(
        database,
        `select t.user_id, t.session_id, t.staff_id from token_families f join refresh_tokens t on t.family_id = f.id
          where f.tenant_id = $1 and f.id = $2 and f.generation = $3 and f.revoked_at is null and t.id = $4
            and t.consumed_at is null`,
        [tenantId, familyId, generation, parentId],
      )
      if (parent === undefined) return 'lost'
      await rowsOf(database, 'update token_families set generation = $2 where id = $1', [familyId, generation + 1])
      await rowsOf(database, 'update refresh_tokens set consumed_at = now(), nonce = null where id = $1', [parentId])
      await rowsOf(
        database,
        `insert into refresh_tokens (id, tenant_id, user_id, staff_id, session_id, token_hash, family_id, generation, nonce,
          secret_id, issued_at, expires_at, session_started_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), now() + $11::float8 * interval '1 ms', now())
          on conflict do nothing`,
        [
          successor.id,
          tenantId,
          parent.user_id,
          parent.staff_id,
          parent.session_id,
          successor.tokenHash,
          familyId,
          generation + 1,
          successor.nonce,
          successor.secretId,
          ttlMs,
        ],
      )
      await portsOf(database).audit.append([rotation.audit])
      return 'won'
    }
    const failed = await failuresOf(tokenStoreContract, withTokens({ rotate: readThenWrite }), /^rotate: (?!a conn)/)
    expect(failed).toContain('rotate: of 20 concurrent calls for one generation exactly one wins')
    expect(failed).toContain('rotate: lost, and nothing changed, when the token has expired')
    expect(failed).not.toContain('rotate: a repeat of the rotation that won is lost')
  })

  test('a store that forgets the tenant is caught, in each of its methods', async () => {
    const { tokens, sessions } = portsOf(database)
    const tenantOf = async (table: string, column: string, value: string | Uint8Array): Promise<TenantId> => {
      const [row] = await rowsOf<{ tenant_id: TenantId }>(
        database,
        `select tenant_id from ${table} where ${column} = $1`,
        [value],
      )
      return row?.tenant_id ?? ('00000000-0000-7000-8000-000000000000' as TenantId)
    }
    const ofFamily = async <T extends { readonly familyId: string }>(input: T) => ({
      ...input,
      tenantId: await tenantOf('token_families', 'id', input.familyId),
    })
    const ofHash = async <T extends { readonly tokenHash: Uint8Array }>(input: T) => ({
      ...input,
      tenantId: await tenantOf('refresh_tokens', 'token_hash', input.tokenHash),
    })
    const { store, ...harness } = good()
    const forgetful: StoreHarness = {
      ...harness,
      store: {
        ...store,
        tokens: {
          ...tokens,
          facts: async (_tenant, hash) => tokens.facts(await tenantOf('refresh_tokens', 'token_hash', hash), hash),
          rotate: async (rotation) => tokens.rotate(await ofFamily(rotation)),
          contain: async (input) => tokens.contain(await ofFamily(input)),
          endFamily: async (input) => tokens.endFamily(await ofFamily(input)),
          expire: async (input) =>
            tokens.expire({ ...input, tenantId: await tenantOf('refresh_tokens', 'id', input.tokenId) }),
          revokeToken: async (input) => tokens.revokeToken(await ofHash(input)),
          replaceExpired: async (input) => tokens.replaceExpired(await ofHash(input)),
          confirm: async (seen) =>
            tokens.confirm(
              await Promise.all(
                seen.map(async (one) => ({
                  ...one,
                  tenantId: await tenantOf('user_sessions', 'id', one.sessionId),
                })),
              ),
            ),
        },
        sessions: {
          ...sessions,
          live: async (_tenant, id) => sessions.live(await tenantOf('user_sessions', 'id', id), id),
          touch: async (seen) =>
            sessions.touch(
              await Promise.all(
                seen.map(async (one) => ({
                  ...one,
                  tenantId: await tenantOf('user_sessions', 'id', one.sessionId),
                })),
              ),
            ),
          end: async (scope, options, audit) =>
            sessions.end(
              scope.of === 'session'
                ? { ...scope, tenantId: await tenantOf('user_sessions', 'id', scope.sessionId) }
                : scope,
              options,
              audit,
            ),
        },
      },
    }
    const which = /tenant/
    expect(await failuresOf(tokenStoreContract, forgetful, which)).toEqual(
      expect.arrayContaining([
        'facts: a token of another tenant is undefined',
        'rotate: another tenant cannot spend the token',
        'contain: another tenant cannot contain the family',
        'endFamily: another tenant cannot end the family',
        'expire: another tenant cannot expire the token',
        'confirm: a generation that is not there, another tenant, and an empty batch change nothing',
        'revokeToken: another tenant cannot revoke the token',
        'replaceExpired: not a consumed, revoked or contained token, nor another user’s or tenant’s',
      ]),
    )
    expect(await failuresOf(sessionStoreContract, forgetful, which)).toEqual(
      expect.arrayContaining([
        'live and find: a session of another tenant is undefined, as an unknown one is',
        'touch: another tenant’s session, and one that has ended, stay as they are',
        'end: undefined, and nothing recorded, for what is not in the tenant',
      ]),
    )
  })

  test('a store that writes its audit row apart from the change is caught by the connection that breaks between', async () => {
    const harness = good()
    const apart: StoreHarness = {
      ...harness,
      breaking(statement, when) {
        const broken = harness.breaking(statement, when)
        const { tokens } = broken.store
        return {
          ...broken,
          store: {
            ...broken.store,
            tokens: {
              ...tokens,
              async endFamily({ audit, ...input }) {
                const ended = await tokens.endFamily({ ...input, audit: () => [] })
                if (ended) await broken.store.audit.append(audit({ sessions: [], versions: [] }, new Date()))
                return ended
              },
            },
          },
        }
      },
    }
    const failed = await failuresOf(tokenStoreContract, apart, /^endFamily: a connection/)
    expect(failed).toHaveLength(2)
  })

  test('the store that is shipped passes the same cases', async () => {
    expect(await failuresOf(tokenStoreContract, good(), /^(?:rotate|endFamily)/)).toEqual([])
  })
})
