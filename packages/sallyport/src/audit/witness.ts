/**
 * Hands checkpoints to the outside, where whoever can change the database cannot change them: a file, a webhook, or both.
 *
 * @module
 */

import { appendFile, open } from 'node:fs/promises'
import { SallyportError } from '../errors.ts'
import type { Logger } from '../internal/logger.ts'
import type { LogId, StoredCheckpoint } from '../store/contract/ledger.ts'
import { verifyCheckpoint } from './verifying/checkpoint.ts'
import { NoteError, readVerifierKey } from './verifying/signed-note.ts'

export interface WitnessOptions {
  /** A file that gets one JSON line for each checkpoint. It is read again at the start: nothing below it is ever signed. */
  readonly file?: string | undefined
  /** An address that each checkpoint is posted to, as `text/plain`. */
  readonly url?: string | undefined
}

export interface Published extends StoredCheckpoint {
  readonly log: LogId
  readonly vkey: string
}

/** What the witness has of a log's key. */
export interface Known {
  readonly size: number
  readonly root: Buffer
}

const POST_TIMEOUT_MS = 10_000

/** One node's way to its witness. */
export class Witness {
  readonly #options: WitnessOptions
  readonly #log: Logger
  #known: Promise<Map<string, Known>> | undefined

  constructor(options: WitnessOptions, log: Logger) {
    this.#options = options
    this.#log = log
  }

  /**
   * The largest checkpoint by this key in the file.
   *
   * @throws SallyportError `UNAVAILABLE` when there is a file and it cannot be read: what it would have said is not known.
   */
  async lastOf(vkey: string): Promise<Known | undefined> {
    if (this.#options.file === undefined) return undefined
    // Another node may have written to the same file since; one that cannot be read today may be there tomorrow.
    this.#known ??= readKnown(this.#options.file)
    try {
      return (await this.#known).get(vkey)
    } catch (cause) {
      this.#known = undefined
      throw new SallyportError('UNAVAILABLE', 'the file of the audit witness cannot be read', { cause })
    }
  }

  /** Publishes what was signed. Never rejects: the checkpoint is in the database, and the next one covers it. */
  async publish(checkpoint: Published): Promise<void> {
    const { file, url } = this.#options
    await Promise.all([
      file === undefined ? undefined : this.#told(checkpoint, this.#append(file, checkpoint)),
      url === undefined ? undefined : this.#told(checkpoint, post(url, checkpoint)),
    ])
  }

  async #append(file: string, { vkey, size, note, signedAt }: Published): Promise<void> {
    await appendFile(file, `${JSON.stringify({ vkey, size, signedAt, note })}\n`, { mode: 0o600 })
    const { root } = verifyCheckpoint(note, readVerifierKey(vkey))
    ;(await this.#known)?.set(vkey, { size, root })
  }

  async #told({ log, size }: Published, done: Promise<void>): Promise<void> {
    try {
      await done
    } catch (error) {
      this.#log.error({ err: error, log, size }, 'a checkpoint of the audit log did not reach its witness')
    }
  }
}

async function post(url: string, { note }: Published): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: note,
    redirect: 'error',
    signal: AbortSignal.timeout(POST_TIMEOUT_MS),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`the witness answered ${response.status}`)
}

/** Lines that do not hold are passed over: a line that somebody wrote by hand must not end sealing, nor say what was signed. */
async function readKnown(file: string): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  // Made where it is missing, so that a wrong path shows now and not at the first checkpoint.
  const handle = await open(file, 'a+', 0o600)
  try {
    for await (const line of handle.readLines({ start: 0 })) {
      const entry = entryOf(line)
      if (entry !== undefined && entry.size >= (known.get(entry.vkey)?.size ?? 0)) known.set(entry.vkey, entry)
    }
  } finally {
    await handle.close().catch(() => undefined)
  }
  return known
}

function entryOf(line: string): (Known & { readonly vkey: string }) | undefined {
  try {
    const { vkey, note } = JSON.parse(line) as { readonly vkey: string; readonly note: string }
    const { size, root } = verifyCheckpoint(note, readVerifierKey(vkey))
    return { vkey, size, root }
  } catch (error) {
    if (error instanceof NoteError || error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
