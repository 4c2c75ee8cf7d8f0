/**
 * The order in which files of tests are begun: one that takes minutes must not be the last, alone, while the other workers are idle.
 *
 * @module
 */

import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Slow out of proportion to their length, by which a fresh clone would order them. */
const SLOWEST = ['tests/e2e/pages.test.ts', 'tests/processes/service.test.ts', 'tests/evidence/acceptance.test.ts']

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOWEST.some((end) => moduleId.endsWith(end))
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))]
  }
}
