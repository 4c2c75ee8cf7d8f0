/**
 * What the commands that work on the engine have in common.
 *
 * @module
 */

import type { Logger } from 'pino'
import { type Config, loadConfig } from '../config.ts'
import { createLogger } from '../logger.ts'
import { openGuard, type OpenGuard } from '../open-guard.ts'
import type { GlobalOptions } from './report.ts'

/** The configuration, from this process's environment and folder. */
export async function configuration(): Promise<Config> {
  return loadConfig({ env: process.env, cwd: process.cwd() })
}

/** Runs `work` on the engine and closes it, whatever becomes of the work. Log records go to standard error: the answer is on standard output. */
export async function withGuard<T>(
  config: Config,
  { verbose = false }: GlobalOptions,
  work: (open: OpenGuard, log: Logger) => Promise<T>,
): Promise<T> {
  const log = createLogger({ level: verbose ? 'debug' : 'warn', json: true, destination: process.stderr })
  const open = await openGuard(config, log)
  try {
    return await work(open, log)
  } finally {
    await open.close()
  }
}

/** Writes the answer of a command: the document where it is for machines, else the lines. */
export function answer({ json = false }: GlobalOptions, document: unknown, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : lines.map((line) => `${line}\n`).join(''))
}
