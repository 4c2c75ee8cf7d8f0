/**
 * What is loaded from the service: keyed by tenant and session first, and told apart in loading, there, and failed.
 *
 * @module
 */

import type { Client, SallyportError } from '@sallyport/client'
import type { QueryKey, UseQueryResult } from '@tanstack/react-query'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { useContextOf } from '../context.ts'
import { asSallyportError } from '../create-sallyport.ts'

/** One thing that is loaded. */
export interface Loaded<T> {
  readonly data: T | undefined
  /** Nothing is there yet, and something is coming: where nobody is signed in yet, once somebody is. */
  readonly loading: boolean
  /** Something is there, and newer is coming. */
  readonly refreshing: boolean
  /** Why nothing could be loaded. What was there before stays. */
  readonly error: SallyportError | undefined
  reload(): void
}

/** A list that is loaded page by page. */
export interface LoadedPages<T> extends Omit<Loaded<never>, 'data'> {
  readonly items: readonly T[]
  readonly hasMore: boolean
  readonly loadingMore: boolean
  loadMore(): void
}

export interface LoadOptions {
  /** Whether it is to be loaded at all. Defaults to true. */
  readonly enabled?: boolean
  /** Loaded again after so many milliseconds, while the page is in sight. */
  readonly every?: number
}

export type Load<T> = (client: Client, signal: AbortSignal) => Promise<T>

/** The key of something of the present session: whatever is below goes when the person, the tenant or the impersonation changes. */
export function useKey(): (...parts: readonly unknown[]) => QueryKey {
  const { page } = useContextOf('useKey')
  const tenant = useStore(page, ({ auth }) => (auth.status === 'signed-in' ? auth.tenant.id : undefined))
  const session = useStore(page, ({ auth }) => (auth.status === 'signed-in' ? auth.session.id : undefined))
  return useCallback((...parts) => ['sallyport', tenant, session, ...parts], [tenant, session])
}

export function useLoaded<T>(
  parts: readonly unknown[],
  load: Load<T>,
  { enabled = true, every }: LoadOptions = {},
): Loaded<T> {
  const { client, page, queries } = useContextOf('useLoaded')
  const signedIn = useStore(page, ({ auth }) => auth.status === 'signed-in')
  const key = useKey()
  const query = useQuery(
    {
      queryKey: key(...parts),
      queryFn: ({ signal }) => load(client, signal),
      enabled: enabled && signedIn,
      ...(every === undefined ? {} : { refetchInterval: every }),
    },
    queries,
  )
  return useAsLoaded(query, enabled)
}

/** One query, as a hook hands it out. */
export function useAsLoaded<T>(query: UseQueryResult<T>, enabled: boolean): Loaded<T> {
  const { refetch, data, isPending, isRefetching } = query
  const error = useReported(query.error)
  const reload = useCallback(() => void refetch(), [refetch])
  return { data, loading: enabled && isPending && error === undefined, refreshing: isRefetching, error, reload }
}

interface Page {
  readonly nextCursor: string | null
}

export function useLoadedPages<P extends Page, T>(
  parts: readonly unknown[],
  load: (client: Client, cursor: string | undefined, signal: AbortSignal) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
  { enabled = true, every }: LoadOptions = {},
): LoadedPages<T> & { readonly pages: readonly P[] } {
  const { client, page, queries } = useContextOf('useLoadedPages')
  const signedIn = useStore(page, ({ auth }) => auth.status === 'signed-in')
  const key = useKey()
  const query = useInfiniteQuery(
    {
      queryKey: key(...parts),
      queryFn: ({ pageParam, signal }) => load(client, pageParam, signal),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: ({ nextCursor }: P) => nextCursor ?? undefined,
      enabled: enabled && signedIn,
      ...(every === undefined ? {} : { refetchInterval: every }),
    },
    queries,
  )
  const { refetch, fetchNextPage } = query
  const error = useReported(query.error)
  const pages = query.data?.pages ?? NONE
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- itemsOf is a constant of each hook
  const items = useMemo(() => pages.flatMap((one) => itemsOf(one as P)), [pages])
  return {
    pages: pages as readonly P[],
    items,
    loading: enabled && query.isPending && error === undefined,
    refreshing: query.isRefetching && !query.isFetchingNextPage,
    error,
    reload: useCallback(() => void refetch(), [refetch]),
    hasMore: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    loadMore: useCallback(() => void fetchNextPage(), [fetchNextPage]),
  }
}

const NONE: readonly never[] = []

/** The refusal; one that says that the service is away is told to the whole page. */
function useReported(thrown: unknown): SallyportError | undefined {
  const { page } = useContextOf('useReported')
  const error = useMemo(() => (thrown == null ? undefined : asSallyportError(thrown)), [thrown])
  useEffect(() => {
    if (error?.code === 'NETWORK') page.setState({ connection: 'down' })
  }, [error, page])
  return error
}
