/**
 * Lets one process have a folder: PGlite takes no lock of its own, and a second process on its folder silently loses rows.
 *
 * The lock is a file that names its owner. Whoever finds the owner dead takes the file over by first taking a claim, a
 * lock of the same kind whose name holds the dead owner's nonce; so of any number of takers one wins, and one that dies
 * half-way leaves a claim with a dead owner, which is taken over in the same way.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { SallyportError } from '../../errors.ts'

/** Who has a folder, as its lock file says. */
interface Owner {
  readonly nonce: string
  readonly pid: number
  /** Start of the process in clock ticks since boot: tells it from a later process of the same number. Empty where unknown. */
  readonly started: string
  /** The boot and the pid namespace that `pid` and `started` mean something in. Empty where unknown. */
  readonly scope: string
  readonly boot: string
  readonly host: string
}

/** A held lock. */
export interface FolderLock {
  /** Gives the folder free. Repeating it does nothing. */
  release(): void
}

const BEAT_MS = 1_000
/** How long an owner that cannot be judged by its process is watched for a beat: PGlite can keep a process busy for seconds. */
const WATCH_MS = 8_000

/**
 * Takes the lock.
 *
 * @param file The lock file, inside the folder that it stands for.
 * @throws SallyportError `CONFIG_INVALID` when a living process has the folder.
 */
export async function lockFolder(file: string): Promise<FolderLock> {
  const owner = self()
  await acquire(file, owner)
  // The beat is for those who cannot see this process: in another container, or where the system tells no start times.
  const beat = setInterval(() => touch(file), BEAT_MS).unref()
  const release = (): void => {
    clearInterval(beat)
    process.removeListener('exit', release)
    if (read(file)?.nonce === owner.nonce) rmSync(file, { force: true })
  }
  process.on('exit', release)
  return { release }
}

async function acquire(file: string, owner: Owner): Promise<void> {
  for (;;) {
    if (create(file, owner)) return
    const other = read(file)
    // Given free between the two calls.
    if (other === undefined) continue
    if (await lives(file, other)) throw taken(file, other)

    const claim = `${file}.${other.nonce}`
    await acquire(claim, owner)
    // Whoever had the claim before replaced the file before giving the claim free, and its nonce never comes back.
    const stillTheirs = read(file)?.nonce === other.nonce
    if (stillTheirs) replace(file, owner)
    rmSync(claim, { force: true })
    if (stillTheirs) return
  }
}

/** Creates the file with its whole content at once, or not at all where it exists: nobody ever reads half a lock. */
function create(file: string, owner: Owner): boolean {
  const draft = write(file, owner)
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

function replace(file: string, owner: Owner): void {
  renameSync(write(file, owner), file)
}

function write(file: string, owner: Owner): string {
  const draft = `${file}.${owner.nonce}.draft`
  writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  return draft
}

function read(file: string): Owner | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const owner = JSON.parse(text) as Owner
    if (typeof owner.pid === 'number' && /^[0-9a-f]{32}$/.test(owner.nonce)) return owner
  } catch {
    // Falls through: whatever the file holds, no lock of ours was ever written so.
  }
  throw new SallyportError('CONFIG_INVALID', `${file} is no lock file; remove it if no process uses this folder`)
}

async function lives(file: string, other: Owner): Promise<boolean> {
  const me = self()
  if (other.host === me.host && other.boot !== me.boot) return false
  if (other.scope === me.scope && other.host === me.host) {
    const seen = processAt(other.pid)
    if (seen === undefined) return false
    if (other.started !== '') return seen === other.started
  }
  // Another container or machine, or a system that gives no start times: only its beat says whether it lives.
  const before = beatOf(file)
  for (let waited = 0; waited < WATCH_MS; waited += 200) {
    await sleep(200)
    if (beatOf(file) !== before) return true
  }
  return false
}

function beatOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN
}

function touch(file: string): void {
  const now = new Date()
  try {
    utimesSync(file, now, now)
  } catch {
    // The folder was removed under the process; there is nothing left to keep others away from.
  }
}

/** The start of a living process, empty where the system does not tell; `undefined` when there is no such process. */
function processAt(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses, and may itself hold any character.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    // A killed process whose parent has not asked after it yet holds no folder.
    return state === 'Z' || state === 'X' ? undefined : (fields[19] ?? '')
  } catch {
    return ''
  }
}

let own: Omit<Owner, 'nonce'> | undefined

function self(): Owner {
  if (own === undefined) {
    const boot = readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    const namespace = readOr(() => readlinkSync('/proc/self/ns/pid'))
    own = {
      pid: process.pid,
      started: processAt(process.pid) ?? '',
      scope: `${boot} ${namespace}`,
      boot,
      host: hostname(),
    }
  }
  return { nonce: randomBytes(16).toString('hex'), ...own }
}

function readOr(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

function taken(file: string, { pid, host }: Owner): SallyportError {
  const where = host === hostname() ? '' : ` on ${host}`
  return new SallyportError(
    'CONFIG_INVALID',
    `another process has this folder (pid ${pid}${where}): stop it, use another folder, or use PostgreSQL for more than one process (${file})`,
    { facts: { pid } },
  )
}
