import { useState } from 'react'
import { expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, pass, settle, withPages } from '../testing/page.tsx'
import type { LoadOptions } from './query.ts'
import { useLoaded, useLoadedPages } from './query.ts'
import { useConnection } from './use-sallyport.ts'
import { useSession } from './use-session.ts'

withPages()

const useTeamOf = (options?: LoadOptions) =>
  useLoaded(['team'], ({ api }, signal) => api.listTeam({}, { signal }), options)

test('something is loading until it is there', async () => {
  const page = openPage()
  const held = page.hold('GET /team')
  const team = await page.use(() => useTeamOf())
  expect(team.current).toMatchObject({ data: undefined, loading: true, refreshing: false, error: undefined })
  await held.release({ members: ['ana'] })
  expect(team.current).toMatchObject({ data: { members: ['ana'] }, loading: false, refreshing: false })
})

test('reload asks again, and what was there stays meanwhile', async () => {
  const page = openPage()
  page.answer('GET /team', { members: ['ana'] })
  const team = await page.use(() => useTeamOf())
  const { reload } = team.current
  const held = page.hold('GET /team')
  await during(() => team.current.reload())
  expect(team.current).toMatchObject({ data: { members: ['ana'] }, loading: false, refreshing: true })
  await held.release({ members: ['ben'] })
  expect(team.current).toMatchObject({ data: { members: ['ben'] }, refreshing: false })
  expect(team.current.reload).toBe(reload)
})

test('a refusal is said, is not asked for again, and is gone once it could be loaded', async () => {
  const page = openPage()
  page.answer('GET /team', () => problem(403, 'FORBIDDEN'))
  const team = await page.use(() => useTeamOf())
  expect(team.current).toMatchObject({ data: undefined, loading: false, error: { status: 403, code: 'FORBIDDEN' } })
  await pass(60_000)
  expect(page.asked()).toEqual(['GET /team'])
  page.answer('GET /team', { members: [] })
  await during(() => team.current.reload())
  expect(team.current).toMatchObject({ data: { members: [] }, error: undefined })
})

test('what was there stays when newer could not be loaded', async () => {
  const page = openPage()
  page.answer('GET /team', { members: ['ana'] })
  const team = await page.use(() => useTeamOf())
  page.answer('GET /team', () => problem(403, 'FORBIDDEN'))
  await during(() => team.current.reload())
  expect(team.current).toMatchObject({ data: { members: ['ana'] }, loading: false, error: { code: 'FORBIDDEN' } })
})

test('what fails for now is asked for twice more before it is said', async () => {
  const page = openPage()
  page.answer('GET /team', () => problem(503, 'UNAVAILABLE'))
  const team = await page.use(() => useTeamOf())
  expect(team.current).toMatchObject({ loading: true, error: undefined })
  await pass(5000)
  expect(team.current).toMatchObject({ loading: false, error: { code: 'UNAVAILABLE' } })
  expect(page.asked()).toHaveLength(3)
})

test('a limit is not pushed against', async () => {
  const page = openPage()
  page.answer('GET /team', () => problem(429, 'RATE_LIMITED', { retryAfter: 30 }))
  const team = await page.use(() => useTeamOf())
  await pass(20_000)
  expect(team.current.error).toMatchObject({ code: 'RATE_LIMITED', facts: { retryAfter: 30 } })
  expect(page.asked()).toHaveLength(1)
})

test('a service that is away is told to the whole page', async () => {
  const page = openPage()
  page.answer('GET /team', () => {
    throw new TypeError('fetch failed')
  })
  const used = await page.use(() => ({ ...useTeamOf(), connection: useConnection() }))
  expect(used.current).toMatchObject({ error: { code: 'NETWORK' }, connection: 'down' })
  page.answer('GET /team', { members: ['ana'] })
  // The provider asks again, and loads anew what is in sight.
  await pass(1000)
  expect(used.current).toMatchObject({ data: { members: ['ana'] }, error: undefined, connection: 'up' })
})

test('nothing is asked for while nobody is signed in', async () => {
  const page = openPage({ as: null })
  const team = await page.use(() => useTeamOf())
  expect(team.current).toMatchObject({ loading: true, data: undefined, error: undefined })
  expect(page.asked()).toEqual([])
})

test('nothing is asked for, and nothing is said to come, before it is enabled', async () => {
  const page = openPage()
  let enable: (enabled: boolean) => void = () => undefined
  const team = await page.use(() => {
    const [enabled, setEnabled] = useState(false)
    enable = setEnabled
    return useTeamOf({ enabled })
  })
  expect(page.asked()).toEqual([])
  expect(team.current).toMatchObject({ data: undefined, loading: false, error: undefined })
  const held = page.hold('GET /team')
  await during(() => enable(true))
  expect(team.current.loading).toBe(true)
  await held.release({ members: ['ana'] })
  expect(team.current).toMatchObject({ data: { members: ['ana'] }, loading: false })
  expect(page.asked()).toEqual(['GET /team'])
})

test('it is loaded again after so long', async () => {
  const page = openPage()
  await page.use(() => useTeamOf({ every: 30_000 }))
  await pass(28_000)
  expect(page.asked()).toHaveLength(1)
  await pass(2000)
  expect(page.asked()).toHaveLength(2)
  await page.leave()
  await pass(90_000)
  expect(page.asked()).toHaveLength(2)
})

test('another key is another thing: nothing of the one is shown for the other', async () => {
  const page = openPage()
  page.answer('GET /audit/events/one', { event: 1 })
  let look: (id: string) => void = () => undefined
  const used = await page.use(() => {
    const [id, setId] = useState('one')
    look = setId
    return useLoaded(['event', id], ({ api }, signal) => api.getAuditEvent({ id }, { signal }))
  })
  expect(used.current.data).toEqual({ event: 1 })
  const held = page.hold('GET /audit/events/two')
  await during(() => look('two'))
  expect(used.current).toMatchObject({ data: undefined, loading: true })
  await held.release({ event: 2 })
  expect(used.current.data).toEqual({ event: 2 })
})

test('left while it is on its way, the request is given up and nothing is rendered', async () => {
  const page = openPage()
  const held = page.hold('GET /team')
  const team = await page.use(() => useTeamOf())
  expect(held.signals.map(({ aborted }) => aborted)).toEqual([false])
  await page.leave()
  expect(held.signals.map(({ aborted }) => aborted)).toEqual([true])
  const rendered = team.all.length
  await held.release({ members: ['ana'] })
  expect(team.all.length).toBe(rendered)
})

test('nothing of one person is shown to the next', async () => {
  const page = openPage()
  page.answer('GET /team', { members: ['ana'] })
  const used = await page.use(() => ({ ...useTeamOf(), session: useSession() }))
  expect(used.current.data).toEqual({ members: ['ana'] })
  const before = used.all.length
  const held = page.hold('GET /team')
  await during(() => page.sallyport.client.signIn({ email: 'ben', password: 'right' }))
  const since = used.all.slice(before)
  expect(used.current.session).toMatchObject({ status: 'signed-in', user: { id: 'ben' } })
  expect(
    since.filter(({ session, data }) => session.status === 'signed-in' && session.user.id === 'ben' && data),
  ).toEqual([])
  await held.release({ members: ['ben'] })
  expect(used.current.data).toEqual({ members: ['ben'] })
})

test('what is loaded is kept by tenant and session', async () => {
  const page = openPage()
  await page.use(() => useTeamOf())
  const keys = page.sallyport.queries.getQueryCache().getAll()
  expect(keys.map(({ queryKey }) => queryKey)).toEqual([['sallyport', 't1', 'sid-1', 'team']])
})

test('what was on its way for one person does not arrive at the next', async () => {
  const page = openPage()
  const held = page.hold('GET /team')
  const team = await page.use(() => useTeamOf())
  page.answer('GET /team', { members: ['ben'] })
  await during(() => page.sallyport.client.signIn({ email: 'ben', password: 'right' }))
  await held.release({ members: ['ana'] })
  expect(team.current.data).toEqual({ members: ['ben'] })
  expect(team.all.map(({ data }) => data)).not.toContainEqual({ members: ['ana'] })
})

test('a session that has ended takes everything that was loaded along', async () => {
  const page = openPage()
  page.answer('GET /team', { members: ['ana'] })
  const used = await page.use(() => ({ ...useTeamOf(), session: useSession() }))
  page.answer('GET /team', () => problem(401, 'SESSION_REVOKED'))
  page.service.revoke('sid-1')
  await during(() => used.current.reload())
  expect(used.current.session).toEqual({ status: 'signed-out', reason: 'REFRESH_TOKEN_REVOKED' })
  expect(used.current.data).toBeUndefined()
  const asked = page.asked().length
  await pass(120_000)
  expect(page.asked()).toHaveLength(asked)
})

/** Incidents, two to a page. */
async function incidents() {
  const page = openPage()
  const numbers = [1, 2, 3, 4, 5]
  page.answer('GET /security/incidents', ({ request }) => {
    const from = Number(new URL(request.url).searchParams.get('cursor') ?? 0)
    return { incidents: numbers.slice(from, from + 2), nextCursor: from + 2 < numbers.length ? `${from + 2}` : null }
  })
  const used = await page.use(() =>
    useLoadedPages<{ readonly incidents: readonly number[]; readonly nextCursor: string | null }, number>(
      ['incidents'],
      async ({ api }, cursor, signal) => (await api.listIncidents({ cursor }, { signal })) as never,
      (one) => one.incidents,
    ),
  )
  return { page, used }
}

test('pages are loaded one after the other, until there are no more', async () => {
  const { page, used } = await incidents()
  expect(used.current).toMatchObject({ items: [1, 2], hasMore: true, loadingMore: false, loading: false })
  await during(() => used.current.loadMore())
  expect(used.current).toMatchObject({ items: [1, 2, 3, 4], hasMore: true })
  await during(() => used.current.loadMore())
  expect(used.current).toMatchObject({ items: [1, 2, 3, 4, 5], hasMore: false })
  expect(used.current.pages).toHaveLength(3)
  await during(() => used.current.loadMore())
  expect(page.asked()).toHaveLength(3)
})

test('while a further page is on its way, what is there stays, and it is no refresh', async () => {
  const { page, used } = await incidents()
  const held = page.hold('GET /security/incidents')
  await during(() => used.current.loadMore())
  expect(used.current).toMatchObject({ items: [1, 2], loadingMore: true, refreshing: false, loading: false })
  expect(page.last()).toEqual({ cursor: '2' })
  await held.release({ incidents: [3], nextCursor: null })
  expect(used.current).toMatchObject({ items: [1, 2, 3], loadingMore: false, hasMore: false })
})

test('a further page that is refused leaves the ones before, and can be asked for again', async () => {
  const { page, used } = await incidents()
  page.answer('GET /security/incidents', () => problem(403, 'FORBIDDEN'))
  await during(() => used.current.loadMore())
  expect(used.current).toMatchObject({ items: [1, 2], loadingMore: false, error: { code: 'FORBIDDEN' } })
  page.answer('GET /security/incidents', { incidents: [3], nextCursor: null })
  await during(() => used.current.loadMore())
  expect(used.current).toMatchObject({ items: [1, 2, 3], error: undefined })
})

test('the list of pages that could not be loaded at all is failed, not loading', async () => {
  const page = openPage()
  page.answer('GET /security/incidents', () => problem(403, 'FORBIDDEN'))
  const used = await page.use(() =>
    useLoadedPages(
      ['incidents'],
      ({ api }, cursor, signal) => api.listIncidents({ cursor }, { signal }),
      (one) => one.incidents,
    ),
  )
  expect(used.current).toMatchObject({ items: [], loading: false, hasMore: false, error: { code: 'FORBIDDEN' } })
  await settle()
  page.answer('GET /security/incidents', { incidents: [1], nextCursor: null })
  await during(() => used.current.reload())
  expect(used.current).toMatchObject({ items: [1], error: undefined })
})

test('a list that is not enabled is neither asked for nor said to come', async () => {
  const page = openPage()
  const used = await page.use(() =>
    useLoadedPages(
      ['incidents'],
      ({ api }, cursor, signal) => api.listIncidents({ cursor }, { signal }),
      (one) => one.incidents,
      { enabled: false },
    ),
  )
  expect(used.current).toMatchObject({ items: [], loading: false, hasMore: false, error: undefined })
  expect(page.asked()).toEqual([])
})

test('a list stays the same list until something changes', async () => {
  const { page, used } = await incidents()
  const { items } = used.current
  await during(() => page.sallyport.notify('rendered anew'))
  await during(() => used.current.reload())
  expect(used.current.items).toBe(items)
})
