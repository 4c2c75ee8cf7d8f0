/**
 * The audit log, newest first, page by page to any depth.
 *
 * @module
 */

import type { AuditEvent, Client, Operations } from '@sallyport/client'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { useStore } from 'zustand'
import { useContextOf } from '../context.ts'
import type { Loaded } from './query.ts'
import { useAsLoaded, useKey } from './query.ts'

/** What is looked for. */
export type AuditFilters = Omit<Operations['listAuditEvents']['input'], 'cursor' | 'limit'>

interface AuditPage {
  readonly events: readonly AuditEvent[]
  readonly nextCursor: string | null
}

export interface UseAuditLogOptions {
  readonly filters?: AuditFilters
  /** How many a page holds. Defaults to 50. */
  readonly pageSize?: number
  readonly enabled?: boolean
}

export interface AuditLogPages extends Omit<Loaded<never>, 'data'> {
  /** Those of the page that is looked at. */
  readonly events: readonly AuditEvent[]
  /** From 1. */
  readonly page: number
  readonly hasOlder: boolean
  older(): void
  newer(): void
  newest(): void
}

/**
 * One page at a time: however far back somebody goes, no more than a page is held and asked for anew.
 */
export function useAuditLog({ filters = {}, pageSize = 50, enabled = true }: UseAuditLogOptions = {}): AuditLogPages {
  const { client, page: pageState, queries } = useContextOf('useAuditLog')
  const signedIn = useStore(pageState, ({ auth }) => auth.status === 'signed-in')
  const key = useKey()
  const wanted = JSON.stringify(filters)
  // The way back: the cursor of each page up to the one that is looked at, of one search.
  const [trail, setTrail] = useState<Trail>({ wanted, cursors: [] })
  const cursors = trail.wanted === wanted ? trail.cursors : NEWEST
  const cursor = cursors.at(-1)
  const query = useQuery(
    {
      queryKey: key('audit', filters, pageSize, cursor),
      queryFn: ({ signal }) => loadPage(client, { ...filters, limit: pageSize }, cursor, signal),
      enabled: enabled && signedIn,
      // The page before stays until the next is there: nothing jumps.
      placeholderData: keepPreviousData,
    },
    queries,
  )
  const next = query.isPlaceholderData ? undefined : (query.data?.nextCursor ?? undefined)
  const go = useCallback((to: readonly string[]) => setTrail({ wanted, cursors: to }), [wanted])
  const { data: _, ...state } = useAsLoaded(query, enabled)
  return {
    ...state,
    refreshing: query.isFetching && query.data !== undefined,
    events: query.data?.events ?? NEWEST,
    page: cursors.length + 1,
    hasOlder: next !== undefined,
    older: () => {
      if (next !== undefined) go([...cursors, next])
    },
    newer: () => go(cursors.slice(0, -1)),
    newest: () => {
      go([])
      if (cursors.length === 0) state.reload()
    },
  }
}

interface Trail {
  readonly wanted: string
  readonly cursors: readonly string[]
}

const NEWEST: readonly never[] = []

/** Half a page is worth showing; fewer is looked further for, so often. */
const MOST_REQUESTS = 20

/** The service looks at a bounded number of events at a time, and can answer few of them and where to go on. */
async function loadPage(
  { api }: Client,
  input: Operations['listAuditEvents']['input'],
  from: string | undefined,
  signal: AbortSignal,
): Promise<AuditPage> {
  const enough = (input.limit ?? 50) / 2
  let { events, nextCursor }: AuditPage = await api.listAuditEvents({ ...input, cursor: from }, { signal })
  for (let asked = 1; events.length < enough && nextCursor !== null && asked < MOST_REQUESTS; asked += 1) {
    const more = await api.listAuditEvents({ ...input, cursor: nextCursor }, { signal })
    events = [...events, ...more.events]
    nextCursor = more.nextCursor
  }
  return { events, nextCursor }
}
