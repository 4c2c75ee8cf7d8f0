/**
 * What was detected, and the case file of each.
 *
 * @module
 */

import type { Incident, Operations } from '@sallyport/client'
import type { Loaded, LoadedPages, LoadOptions } from './query.ts'
import { useLoaded, useLoadedPages } from './query.ts'

export type CaseFile = Operations['incidentCaseFile']['output']
type IncidentsPage = Operations['listIncidents']['output']

/** Detected thefts and stops, newest first. */
export function useIncidents(options: LoadOptions = {}): LoadedPages<Incident> {
  return useLoadedPages<IncidentsPage, Incident>(
    ['incidents'],
    ({ api }, cursor, signal) => api.listIncidents({ cursor, limit: 50 }, { signal }),
    (page) => page.incidents,
    options,
  )
}

/** Everything around one of them. */
export function useCaseFile(incidentId: string): Loaded<CaseFile> {
  return useLoaded(['incident', incidentId], ({ api }, signal) => api.incidentCaseFile({ incidentId }, { signal }))
}
