/**
 * What a package would ship beside what it is for: tests and what only they need; and what it forgot.
 *
 * @module
 */

import { posix } from 'node:path'
import { readImports } from './repository.ts'

/** Folders and names that only tests have. The contract that stores are tried by is shipped, and is in none of these. */
const OF_TESTS = /(?:^|\/)(?:testing|tests?|__tests__|fixtures|mocks?)\/|\.(?:test|spec)(?:-d)?\.[cm]?[jt]sx?$/

/** The shipped files that only tests need. */
export function filesOfTests(shipped: readonly string[]): readonly string[] {
  return shipped.filter((path) => OF_TESTS.test(path))
}

/** The modules that a shipped module imports by their path, and that are not shipped with it. */
export function missingFrom(shipped: ReadonlySet<string>, module: string, source: string): readonly string[] {
  return readImports(source)
    .map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(module), specifier))
    .filter((path) => !shipped.has(path))
}
