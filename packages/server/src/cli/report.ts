/**
 * Tells a person, or a machine, why a command failed.
 *
 * @module
 */

import { SallyportError } from 'sallyport'
import { EXIT } from './exit.ts'

/** Options of every command. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly verbose?: boolean
}

/** A command's own refusal, told by its message alone. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
}

/** A command that was not asked rightly: an argument that is none. */
export class ArgumentError extends CommandError {
  override readonly name = 'ArgumentError'
}

/**
 * Writes the error to standard error: one clear line, one for each problem where there are several; a stack only where asked.
 *
 * @returns The exit code.
 */
export function report(error: unknown, { json = false, verbose = false }: GlobalOptions): number {
  const known = error instanceof SallyportError || error instanceof CommandError
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof SallyportError ? error.code : 'FAILED'
  if (json) {
    const problems = error instanceof SallyportError ? error.facts['problems'] : undefined
    process.stderr.write(`${JSON.stringify({ error: code, message, problems })}\n`)
  } else {
    for (const line of message.split('\n')) process.stderr.write(`sallyport: ${line}\n`)
    if (!known && !verbose) process.stderr.write('sallyport: run it again with --verbose to see where\n')
  }
  if (verbose && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${cause.stack}\n`)
  }
  if (code === 'CONFIG_INVALID' || error instanceof ArgumentError) return EXIT.misconfigured
  return code === 'UNAVAILABLE' ? EXIT.unavailable : EXIT.failed
}
