/**
 * Every job by its name.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import { cleanup } from './cleanup.ts'
import type { Job } from './job.ts'

export const JOBS: readonly Job[] = [cleanup]

/** @throws SallyportError `NOT_FOUND` for a name that no job has. */
export function jobNamed(name: string): Job {
  const job = JOBS.find((one) => one.name === name)
  if (job === undefined) {
    throw new SallyportError(
      'NOT_FOUND',
      `there is no job of this name; there are: ${JOBS.map((one) => one.name).join(', ')}`,
    )
  }
  return job
}
