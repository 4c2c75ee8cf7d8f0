import type { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { storeContract } from '../../testing.ts'
import { openInMemory } from '../pglite/open.ts'
import { pgliteDatabase } from '../postgres/pglite.ts'
import { breakingPglite } from '../postgres/testing/breaking.ts'
import { postgresHarness } from '../postgres/testing/harness.ts'
import type { StoreHarness } from './harness.ts'

let pglite: PGlite
let harness: StoreHarness
beforeAll(async () => {
  pglite = await openInMemory()
  const clock = { offsetMs: 0 }
  harness = postgresHarness(pgliteDatabase(pglite, clock), (fault) =>
    pgliteDatabase(breakingPglite(pglite, fault), clock),
  )
})
afterAll(() => pglite?.close())

describe('the store contract on PGlite', () => {
  storeContract({ test }, async () => harness)
})
