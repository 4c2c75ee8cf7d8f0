/**
 * Everything that is wrong with a configuration, told at once.
 *
 * @module
 */

import { SallyportError } from 'sallyport'

/** One thing to mend. No value is ever repeated: it may be a secret. */
export interface Problem {
  /** The variable, or the file and the path in it. */
  readonly where: string
  /** The rule that is broken, and how to keep it. */
  readonly rule: string
}

/** @returns `CONFIG_INVALID` with one line for each problem, and the problems under `facts.problems`. */
export function configurationError(problems: readonly Problem[]): SallyportError {
  const lines = problems.map(({ where, rule }) => `${where} ${rule}`)
  return new SallyportError('CONFIG_INVALID', lines.join('\n'), { facts: { problems } })
}
