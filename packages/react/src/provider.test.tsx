import { expect, test } from 'vitest'
import { problem } from '../../client/src/testing/fake-service.ts'
import { useLoaded } from './hooks/query.ts'
import { useSession } from './hooks/use-session.ts'
import { useConnection } from './hooks/use-sallyport.ts'
import { during, openPage, pass, withPages } from './testing/page.tsx'

withPages()

test('the session is looked for once, however often the page is rendered', async () => {
  const page = openPage()
  await page.show('One')
  await page.show('Two')
  await page.show('Three', { locale: 'de' })
  expect(page.text()).toBe('Three')
  expect(page.service.count('refresh')).toBe(1)
  expect(page.service.count('me')).toBe(1)
})

test('while the service is away it is asked after a second, then less often, and at most each five seconds', async () => {
  const page = openPage()
  const times: number[] = []
  let away = false
  page.answer('GET /auth/me', () => {
    if (!away) return undefined
    times.push(Date.now())
    return problem(503, 'UNAVAILABLE', { retryAfter: 6 })
  })
  const used = await page.use(() => ({ connection: useConnection(), session: useSession() }))
  away = true
  const from = Date.now()
  await during(() => page.sallyport.page.setState({ connection: 'down' }))
  for (let seconds = 0; seconds < 60; seconds += 1) await pass(1000)
  expect(used.current).toMatchObject({ connection: 'down', session: { status: 'signed-in' } })
  const first = (times[0] ?? 0) - from
  expect(first).toBeGreaterThanOrEqual(1000)
  expect(first).toBeLessThan(1100)
  // The service asked for six seconds, which the client keeps to whoever asks.
  expect(times.length).toBeGreaterThan(4)
  expect(times.length).toBeLessThan(12)
})

test('once the service is back, everything in sight is loaded anew, and it is asked no more', async () => {
  const page = openPage()
  let away = true
  page.answer('GET /team', () => {
    if (away) throw new TypeError('fetch failed')
    return { members: [] }
  })
  page.answer('GET /auth/me', () => {
    if (away && page.sallyport.page.getState().auth.status === 'signed-in') throw new TypeError('fetch failed')
    return undefined
  })
  const used = await page.use(() => ({
    team: useLoaded(['team'], ({ api }, signal) => api.listTeam({}, { signal })),
    roles: useLoaded(['roles'], ({ api }, signal) => api.listRoles({}, { signal })),
    connection: useConnection(),
  }))
  expect(used.current).toMatchObject({ connection: 'down', team: { error: { code: 'NETWORK' } } })
  await pass(60_000)
  expect(used.current.connection).toBe('down')
  const before = page.asked().length
  away = false
  await pass(15_000)
  expect(used.current).toMatchObject({ connection: 'up', team: { data: { members: [] }, error: undefined } })
  expect(page.asked().slice(before).toSorted()).toEqual(['GET /team', 'GET /team/roles'])
  const asked = page.service.asked.length
  await pass(60_000)
  expect(page.service.asked).toHaveLength(asked)
})

test('a page that is left asks for a service that is away no more', async () => {
  const page = openPage()
  await page.use(() => useConnection())
  await during(() => page.sallyport.page.setState({ connection: 'down' }))
  await page.leave()
  const asked = page.service.asked.length
  await pass(60_000)
  expect(page.service.asked).toHaveLength(asked)
})

test('words are shown for five seconds, or until they are dismissed', async () => {
  const page = openPage()
  await page.show('Page')
  await during(() => page.sallyport.notify('Session revoked'))
  expect(page.text()).toBe('PageSession revoked')
  await pass(5000)
  expect(page.text()).toBe('Page')
  await during(() => page.sallyport.notify('Session revoked'))
  await page.press('Dismiss')
  expect(page.text()).toBe('Page')
})

test('a host that shows words and asks for second factors by itself is left to it', async () => {
  const page = openPage()
  page.service.family('sid-1').waits = true
  await page.show('Page', { notices: false, dialog: false })
  await during(() => page.sallyport.notify('Session revoked'))
  expect(page.sallyport.page.getState().demands).toHaveLength(1)
  expect(page.text()).toBe('Page')
})

test('a held session opens the dialog, and a right code closes it', async () => {
  const page = openPage()
  page.service.family('sid-1').waits = true
  await page.show('Page')
  expect(page.text()).toContain('Verify to continue')
  await page.fill('One-time code', '123456')
  await page.press('Verify')
  expect(page.text()).toBe('Page')
  expect(page.sallyport.page.getState().auth.status).toBe('signed-in')
})
