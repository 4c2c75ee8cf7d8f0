import { expect, test } from 'vitest'
import { useLoaded } from './hooks/query.ts'
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

test('while the service is away it is asked after a second, then less often, and at least each five seconds', async () => {
  const page = openPage()
  const times: number[] = []
  const resume = async () => void times.push(Date.now())
  await page.use(() => useConnection(), { sallyport: { ...page.sallyport, resume } })
  times.length = 0
  await during(() => page.sallyport.page.setState({ connection: 'down' }))
  const from = Date.now()
  for (let seconds = 0; seconds < 30; seconds += 1) await pass(1000)
  const waits = times.map((time, at) => Math.round((time - (times[at - 1] ?? from)) / 100) / 10)
  expect(waits.slice(0, 7)).toEqual([1, 1.5, 2.3, 3.4, 5, 5, 5])
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
