/**
 * The SOC 2 checklist, evaluated now.
 *
 * @module
 */

import type { Operations } from '@sallyport/client'
import type { Loaded } from './query.ts'
import { useLoaded } from './query.ts'

export type Checklist = Operations['getChecklist']['output']
export type Control = Checklist['controls'][number]

export function useChecklist(): Loaded<Checklist> {
  return useLoaded(['checklist'], ({ api }, signal) => api.getChecklist({}, { signal }))
}
