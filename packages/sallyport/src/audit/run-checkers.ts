/**
 * Where runs of a log are checked: in this thread, or in threads of their own while this one reads on.
 *
 * @module
 */

import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Run, RunResult } from './check-run.ts'
import { RunCheck } from './check-run.ts'

/** What a thread is told: a run begins, its next lines, and that those were all. */
export type ToThread = { readonly begin: Run } | { readonly lines: Uint8Array<ArrayBuffer> } | { readonly end: true }

/** What a thread says: once that it is there, and then a result for each run, in the order that they came in. */
export type FromThread = 'ready' | RunResult

/** One run that is being read. */
export interface RunReader {
  page(lines: Buffer): void
  end(): Promise<RunResult>
}

export interface RunCheckers {
  /** How many runs it is worth to read before the result of the first is waited for. */
  readonly ahead: number
  begin(run: Run): RunReader
  close(): Promise<void>
}

/** Threads cost some 50 ms to start: what this thread does with as many rows meanwhile. */
const WORTH_THREADS = 16_384
/** Beyond this many the one connection that is read from is the limit. */
const MOST_THREADS = 4
/**
 * One core is left to whoever reads, and to the database where it is on the same machine. Of two cores neither is: reading takes a
 * fifth of what checking takes, and in one thread each waits for the other.
 */
const DEFAULT_THREADS = Math.min(
  availableParallelism(),
  Math.max(2, Math.min(availableParallelism() - 1, MOST_THREADS)),
)
/** Lines are copied into pieces of this size, and handed over whole. */
const PIECE_BYTES = 256 * 1024

/**
 * @param rows How many rows there are to check.
 * @param threads How many threads to take. One means this one.
 */
export async function runCheckers(rows: number, threads: number = DEFAULT_THREADS): Promise<RunCheckers> {
  // Run from the TypeScript sources there is no file that a thread could start from.
  if (threads < 2 || rows < WORTH_THREADS || !import.meta.url.endsWith('.js')) return inThisThread()
  const started = await Promise.allSettled(Array.from({ length: threads }, () => CheckingThread.start()))
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  // A host that was bundled into one file has no file of the thread's: then it is slower, and no less sure.
  return running.length === 0 ? inThisThread() : inThreads(running)
}

function inThisThread(): RunCheckers {
  return {
    ahead: 0,
    begin(run) {
      const check = new RunCheck(run)
      return { page: (lines) => check.page(lines), end: () => Promise.resolve(check.end()) }
    },
    close: () => Promise.resolve(),
  }
}

function inThreads(threads: readonly CheckingThread[]): RunCheckers {
  let begun = 0
  return {
    ahead: threads.length,
    begin: (run) => (threads[begun++ % threads.length] as CheckingThread).begin(run),
    async close() {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

interface Waiting {
  readonly resolve: (result: RunResult) => void
  readonly reject: (error: unknown) => void
}

class CheckingThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #failed: unknown

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (result: RunResult) => this.#waiting.shift()?.resolve(result))
    worker.on('error', (error) => this.#fail(error))
    worker.on('exit', () => this.#fail(new TypeError('audit: a thread that checks rows has ended')))
  }

  static async start(): Promise<CheckingThread> {
    const worker = new Worker(new URL('run-checking-thread.js', import.meta.url))
    // Rejects with the error that the thread could not start with.
    await once(worker, 'message')
    return new CheckingThread(worker)
  }

  begin(run: Run): RunReader {
    this.#say({ begin: run })
    let piece = Buffer.from(new ArrayBuffer(PIECE_BYTES))
    let size = 0
    const hand = (): void => {
      const lines = new Uint8Array(piece.buffer, 0, size)
      this.#say({ lines }, [piece.buffer])
      size = 0
    }
    return {
      page: (lines) => {
        if (size > 0 && size + lines.length > piece.length) {
          hand()
          piece = Buffer.from(new ArrayBuffer(PIECE_BYTES))
        }
        // One line may be longer than a piece.
        if (lines.length > piece.length) piece = Buffer.from(new ArrayBuffer(lines.length))
        piece.set(lines, size)
        size += lines.length
      },
      end: () => {
        if (size > 0) hand()
        return new Promise((resolve, reject) => {
          if (this.#failed !== undefined) reject(this.#failed)
          this.#waiting.push({ resolve, reject })
          this.#say({ end: true })
        })
      },
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #say(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #fail(error: unknown): void {
    this.#failed ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failed)
  }
}
