/**
 * The figures of a period.
 *
 * @module
 */

import type { Operations } from '@sallyport/client'
import type { Loaded } from './query.ts'
import { useLoaded } from './query.ts'

export type Overview = Operations['securityOverview']['output']

/** @param days Up to now. Loaded anew each minute, while the page is in sight. */
export function useOverview(days: number): Loaded<Overview> {
  return useLoaded(
    ['overview', days],
    ({ api }, signal) => {
      const to = new Date()
      const from = new Date(to.getTime() - days * 86_400_000)
      return api.securityOverview({ from: from.toISOString(), to: to.toISOString() }, { signal })
    },
    { every: 60_000 },
  )
}
