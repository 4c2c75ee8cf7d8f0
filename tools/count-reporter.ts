/**
 * Counts the tests of a run into a file, for whoever started it.
 *
 * @module
 */

import { writeFileSync } from 'node:fs'
import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function countReporter(file: string): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]) {
      writeFileSync(file, JSON.stringify(count(modules, unhandled.length)))
    },
  }
}

function count(modules: readonly TestModule[], unhandled: number): Counts {
  // An error outside of any test fails the run, so it is counted: a run that failed never reads "0 failed".
  const counts = { passed: 0, failed: unhandled, skipped: 0 }
  for (const module of modules) {
    let failedHere = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') counts.passed += 1
      else if (state === 'failed') failedHere += 1
      else counts.skipped += 1
    }
    // A file that could not be loaded, or whose hooks failed, has no failed test of its own.
    counts.failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere
  }
  return counts
}
