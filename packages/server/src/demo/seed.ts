/**
 * Makes the demo, or finds the one that is there. Its credentials are kept in `demo.json` in the data folder, readable by its owner
 * alone, and are the same at every start.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Store } from 'sallyport'
import { CommandError } from '../cli/report.ts'
import type { Config } from '../config.ts'
import type { Clock } from '../open-store.ts'
import type { Role } from './cast.ts'
import type { Player } from './player.ts'
import { playStory } from './plot.ts'
import { foundTeam, type Team } from './team.ts'
import { openWorld } from './world.ts'

export interface DemoPerson {
  readonly role: Role
  readonly name: string
  readonly email: string
  readonly password: string
  /** Base32, for an authenticator app; absent where there is no second factor. */
  readonly totpSecret?: string
}

export interface Demo {
  readonly tenant: string
  readonly tenantId: string
  /** The owner first. */
  readonly people: readonly DemoPerson[]
}

/** A demo, and whose password somebody has changed since it was made. */
export interface FoundDemo extends Demo {
  readonly changed: readonly string[]
}

export interface SeedOptions {
  readonly config: Pick<Config, 'production' | 'dataDir' | 'issuer' | 'secrets' | 'engine'>
  readonly store: Store
  /** The database's; there is none in production. */
  readonly clock: Clock | undefined
  readonly log: Logger
  /** Told before what takes a few seconds. */
  readonly tell?: (text: string) => void
  /** When the story ends. Defaults to now. */
  readonly until?: Date
}

/** What is kept in the file: the demo, and by what its people's passwords are known to be those of the file. */
interface Kept extends Demo {
  readonly passwords?: Readonly<Record<string, string>>
}

/** Nobody else may use the engine on this database meanwhile, in this process: its clock is moved. */
export async function seedDemo({ config, store, clock, log, tell, until }: SeedOptions): Promise<FoundDemo> {
  if (config.production || clock === undefined) {
    throw new CommandError('a demo tenant has no place in production (NODE_ENV=production)')
  }
  const file = join(config.dataDir, 'demo.json')
  const kept = await read(file)
  const found = kept && (await find(store, kept))
  if (found !== undefined) return found
  tell?.('making the demo tenant and three weeks of its past: a few seconds, once')
  const world = await openWorld({ config, store, clock, log })
  try {
    const end = until ?? world.now()
    const team = await foundTeam(world, end)
    // Before the story: whatever becomes of that, the tenant can be signed in to.
    await keep(file, config.dataDir, await keptOf(store, team))
    await playStory(world, team.players, end)
    const made = await keptOf(store, team)
    await keep(file, config.dataDir, made)
    return demoOf(made, [])
  } finally {
    await world.close()
  }
}

/** The demo of the file, whether or not it is still in the database. */
export async function keptDemo(dataDir: string): Promise<FoundDemo | undefined> {
  const kept = await read(join(dataDir, 'demo.json'))
  return kept && demoOf(kept, [])
}

/** The demo of the file, if it is in this database. */
async function find(store: Store, kept: Kept): Promise<FoundDemo | undefined> {
  const accounts = await Promise.all(
    kept.people.map(async ({ email }) => [email, await store.directory.account({ email })] as const),
  )
  const [, owner] = accounts[0] ?? []
  const isThere = owner?.memberships.some(({ tenant }) => tenant.id === kept.tenantId || tenant.name === kept.tenant)
  if (isThere !== true) return undefined
  const changed = accounts.flatMap(([email, account]) => {
    const known = kept.passwords?.[email]
    return known === undefined || (account?.passwordHash != null && known === digest(account.passwordHash))
      ? []
      : [email]
  })
  return demoOf(kept, changed)
}

function demoOf({ tenant, tenantId, people }: Kept, changed: readonly string[]): FoundDemo {
  return { tenant, tenantId, people, changed }
}

async function keptOf(store: Store, { tenant, tenantId, players }: Team): Promise<Kept> {
  const passwords = await Promise.all(
    Object.values(players).map(async ({ email }) => {
      const account = await store.directory.account({ email })
      return [email, digest(account?.passwordHash ?? '')] as const
    }),
  )
  return { tenant, tenantId, people: Object.values(players).map(personOf), passwords: Object.fromEntries(passwords) }
}

function personOf({ character: { role, name }, email, password, totpSecret }: Player): DemoPerson {
  return { role, name, email, password, ...(totpSecret === undefined ? {} : { totpSecret }) }
}

/** Of a hash, which the file need not hold. */
function digest(passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url')
}

async function read(file: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept
  } catch {
    // Missing, or not ours to understand: either way there is no demo to print.
    return undefined
  }
}

async function keep(file: string, dataDir: string, demo: Kept): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  await rename(draft, file)
}
