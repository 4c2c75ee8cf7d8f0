/**
 * Makes what the provider hands down: a client, and the state of this page around it.
 *
 * @module
 */

import type { AuthState, Client, ClientOptions, StepUpDemand } from '@sallyport/client'
import { createClient, SallyportError } from '@sallyport/client'
import { QueryClient } from '@tanstack/react-query'
import type { StoreApi } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'

/** Whether the service could be reached the last time that it was asked. */
export type Connection = 'up' | 'down'

/** A few words about what was just done. */
export interface Notice {
  readonly id: number
  readonly tone: 'ok' | 'danger'
  readonly text: string
}

/** The state of this page: what the client knows, and what waits for the person. */
export interface PageState {
  readonly auth: AuthState
  /** Second factors that are asked for, oldest first. */
  readonly demands: readonly StepUpDemand[]
  readonly connection: Connection
  /** Why it could not be told who is signed in: a second factor that was not given, an address that is not let in. */
  readonly resumeError: SallyportError | undefined
  readonly notices: readonly Notice[]
}

/** A client with the state of its page, for `SallyportProvider`. */
export interface Sallyport {
  readonly client: Client
  readonly page: StoreApi<PageState>
  readonly queries: QueryClient
  /** Looks who is signed in. A service that cannot be reached is asked again by the provider. */
  resume(): Promise<void>
  /** Says a few words to the person. */
  notify(text: string, tone?: Notice['tone']): void
  dismiss(id: number): void
  /** Releases everything; nobody is signed out. */
  close(): void
}

/** The options of the client, but for the step-up: that is what `StepUpDialog` and `useStepUp` are there for. */
export type SallyportOptions = Omit<ClientOptions, 'onStepUp'>

const RETRIES = 2

/**
 * Makes a client and the state of its page. One for a page, outside of any component.
 *
 * @example
 * const sallyport = createSallyport({ baseUrl: 'https://auth.example.com' })
 */
export function createSallyport(options: SallyportOptions = {}): Sallyport {
  const page = createStore<PageState>(() => ({
    auth: { status: 'unknown' },
    demands: [],
    connection: 'up',
    resumeError: undefined,
    notices: [],
  }))
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // What the browser believes of its network is wrong often enough: the request itself tells.
        networkMode: 'always',
        staleTime: 10_000,
        retry: (count, error) => count < RETRIES && isWorthRepeating(error as SallyportError),
        retryDelay: (count) => 400 * 2 ** count,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
  const client = createClient({
    ...options,
    onStepUp(demand) {
      page.setState(({ demands }) => ({ demands: [...demands, demand] }))
      void demand.settled.finally(() => {
        page.setState(({ demands }) => ({ demands: demands.filter((one) => one !== demand) }))
      })
    },
  })
  const unsubscribe = client.subscribe(() => {
    const before = identityOf(page.getState().auth)
    const auth = client.state()
    // Nothing of one person, tenant or impersonation is ever shown to another.
    if (identityOf(auth) !== before) queries.clear()
    page.setState({ auth })
  })
  let made = 0
  return {
    client,
    page,
    queries,
    async resume() {
      try {
        await client.session({ reload: page.getState().auth.status !== 'unknown' })
        page.setState({ connection: 'up', resumeError: undefined, auth: client.state() })
      } catch (thrown) {
        const error = asSallyportError(thrown)
        if (error.transient) page.setState({ connection: 'down' })
        else page.setState({ connection: 'up', resumeError: error })
      }
    },
    notify(text, tone = 'ok') {
      const notice = { id: ++made, tone, text }
      page.setState(({ notices }) => ({ notices: [...notices.slice(-2), notice] }))
    },
    dismiss(id) {
      page.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }))
    },
    close() {
      unsubscribe()
      client.close()
      queries.clear()
    },
  }
}

/** A service that cannot be reached at all is waited for by the provider, for all queries at once. */
function isWorthRepeating({ code, status, transient }: SallyportError): boolean {
  return transient && code !== 'NETWORK' && status !== 429
}

function identityOf(auth: AuthState): string {
  return auth.status === 'signed-in' ? `${auth.tenant.id} ${auth.session.id}` : auth.status
}

/** Whatever was thrown, as one of the client's errors. */
export function asSallyportError(thrown: unknown): SallyportError {
  if (thrown instanceof SallyportError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new SallyportError('UNEXPECTED', message, { cause: thrown })
}
