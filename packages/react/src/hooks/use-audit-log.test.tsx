import { useState } from 'react'
import { expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, withPages } from '../testing/page.tsx'
import type { AuditFilters } from './use-audit-log.ts'
import { useAuditLog } from './use-audit-log.ts'

withPages()

const ROUTE = 'GET /audit/events'

/** A log of so many events, newest first, looked at by pages of four. */
async function log(count: number, { perAnswer = 4 }: { readonly perAnswer?: number } = {}) {
  const page = openPage()
  const serve = () =>
    page.answer(ROUTE, ({ request }) => {
      const from = Number(new URL(request.url).searchParams.get('cursor') ?? 0)
      const to = Math.min(from + perAnswer, count)
      const events = Array.from({ length: to - from }, (_, index) => count - from - index)
      return { events, nextCursor: to < count ? `${to}` : null }
    })
  serve()
  let look: (filters: AuditFilters) => void = () => undefined
  const used = await page.use(() => {
    const [filters, setFilters] = useState<AuditFilters>({})
    look = setFilters
    return useAuditLog({ filters, pageSize: 4 })
  })
  return { page, used, serve, filter: async (filters: AuditFilters) => during(() => look(filters)) }
}

test('the newest are shown first, and whether there are older ones', async () => {
  const { page, used } = await log(6)
  expect(used.all[0]).toMatchObject({ events: [], loading: true, page: 1, hasOlder: false })
  expect(used.current).toMatchObject({ events: [6, 5, 4, 3], loading: false, page: 1, hasOlder: true })
  expect(page.last()).toEqual({ limit: '4' })
})

test('older and newer go one page, and newest all the way', async () => {
  const { used } = await log(10)
  await during(() => used.current.older())
  expect(used.current).toMatchObject({ events: [6, 5, 4, 3], page: 2, hasOlder: true })
  await during(() => used.current.older())
  expect(used.current).toMatchObject({ events: [2, 1], page: 3, hasOlder: false })
  await during(() => used.current.older())
  expect(used.current.page).toBe(3)
  await during(() => used.current.newer())
  expect(used.current).toMatchObject({ events: [6, 5, 4, 3], page: 2 })
  await during(() => used.current.older())
  await during(() => used.current.newest())
  expect(used.current).toMatchObject({ events: [10, 9, 8, 7], page: 1 })
  await during(() => used.current.newer())
  expect(used.current.page).toBe(1)
})

test('the page before stays until the next is there, and nobody gets ahead of it', async () => {
  const { page, used } = await log(10)
  const held = page.hold(ROUTE)
  await during(() => used.current.older())
  expect(used.current).toMatchObject({
    events: [10, 9, 8, 7],
    page: 2,
    loading: false,
    refreshing: true,
    hasOlder: false,
  })
  await during(() => used.current.older())
  expect(used.current.page).toBe(2)
  await held.release({ events: [6, 5, 4, 3], nextCursor: '8' })
  expect(used.current).toMatchObject({ events: [6, 5, 4, 3], page: 2, refreshing: false, hasOlder: true })
})

test('another search begins at its newest', async () => {
  const { page, used, filter } = await log(10)
  await during(() => used.current.older())
  await filter({ action: 'AUTH_LOGIN' } as AuditFilters)
  expect(used.current.page).toBe(1)
  expect(page.last()).toEqual({ action: 'AUTH_LOGIN', limit: '4' })
  // The way back was of the other one.
  await during(() => used.current.older())
  await filter({})
  expect(used.current).toMatchObject({ events: [10, 9, 8, 7], page: 1 })
})

test('newest on the newest page asks for what is new', async () => {
  const { page, used } = await log(3)
  page.answer(ROUTE, { events: [4, 3, 2, 1], nextCursor: null })
  await during(() => used.current.newest())
  expect(used.current.events).toEqual([4, 3, 2, 1])
  expect(page.asked()).toHaveLength(2)
})

test('where the service finds few at a time it is asked on, until half a page is there', async () => {
  const { page, used } = await log(10, { perAnswer: 1 })
  expect(used.current).toMatchObject({ events: [10, 9], hasOlder: true })
  expect(page.asked()).toHaveLength(2)
  await during(() => used.current.older())
  expect(used.current.events).toEqual([8, 7])
})

test('a search that finds nothing for long is shown as far as it went, and can go on', async () => {
  const { page, used, filter } = await log(10)
  let asked = 0
  page.answer(ROUTE, () => {
    asked += 1
    return { events: [], nextCursor: `${asked}` }
  })
  await filter({ action: 'NEVER' } as AuditFilters)
  // Twenty answers take their turns.
  await during(() => undefined)
  expect(asked).toBe(20)
  expect(used.current).toMatchObject({ events: [], hasOlder: true, loading: false })
})

test('a page that is refused says so, and can be asked for again', async () => {
  const { page, used, serve } = await log(10)
  page.answer(ROUTE, () => problem(403, 'FORBIDDEN'))
  await during(() => used.current.older())
  expect(used.current).toMatchObject({ page: 2, loading: false, error: { code: 'FORBIDDEN' } })
  serve()
  await during(() => used.current.reload())
  expect(used.current).toMatchObject({ events: [6, 5, 4, 3], error: undefined })
})

test('left while a page is on its way, the request is given up and nothing is rendered', async () => {
  const { page, used } = await log(10)
  const held = page.hold(ROUTE)
  await during(() => used.current.older())
  const rendered = used.all.length
  await page.leave()
  expect(held.signals.map(({ aborted }) => aborted)).toEqual([true])
  expect(used.all.length).toBe(rendered)
})

test('nothing is asked for before it is enabled', async () => {
  const page = openPage()
  const used = await page.use(() => useAuditLog({ enabled: false }))
  expect(page.asked()).toEqual([])
  expect(used.current).toMatchObject({ events: [], loading: false, page: 1, hasOlder: false })
})

test('fifty are on a page where nothing else is said', async () => {
  const page = openPage()
  page.answer(ROUTE, { events: [], nextCursor: null })
  await page.use(() => useAuditLog())
  expect(page.last()).toEqual({ limit: '50' })
})
