import { expect, test } from 'vitest'
import { during, openPage, withPages } from '../testing/page.tsx'
import { useImpersonation } from './use-impersonation.ts'
import { useLoaded } from './query.ts'
import { useSession } from './use-session.ts'
import { useStepUp } from './use-step-up.ts'

withPages()

async function open() {
  const page = openPage()
  const used = await page.use(() => ({
    ...useImpersonation(),
    demand: useStepUp(),
    session: useSession(),
    team: useLoaded<unknown>(['team'], ({ api }, signal) => api.listTeam({}, { signal })),
  }))
  return { page, used }
}

const INPUT = { staffId: 's2', reason: 'why' }

test('nobody acts as another until it is begun', async () => {
  const { used } = await open()
  expect(used.current).toMatchObject({ current: undefined, actingAs: undefined })
})

test('it begins with a second factor, and says who acts as whom', async () => {
  const { used } = await open()
  const start = await during(() => ({ outcome: used.current.start.run(INPUT) }))
  expect(used.current).toMatchObject({ demand: { purpose: 'impersonate' }, start: { busy: true }, current: undefined })
  await during(() => used.current.demand?.verify({ factor: 'totp', code: '123456' }))
  expect(await start.outcome).toMatchObject({ ok: true, value: { user: { id: 'the member' } } })
  expect(used.current).toMatchObject({
    start: { busy: false },
    current: { realUser: { id: 'ana' }, reason: 'why' },
    actingAs: { id: 'the member' },
    session: { user: { id: 'the member' } },
  })
})

test('without the second factor nobody acts as anybody', async () => {
  const { used } = await open()
  await during(() => void used.current.start.run(INPUT))
  await during(() => used.current.demand?.cancel())
  expect(used.current).toMatchObject({
    start: { busy: false, error: { code: 'STEP_UP_CANCELLED' } },
    current: undefined,
    session: { user: { id: 'ana' } },
  })
})

/** Ana acts as the member. */
async function acting() {
  const { page, used } = await open()
  page.service.family('sid-1').opened.add('impersonate')
  await during(() => used.current.start.run(INPUT))
  return { page, used }
}

test('nothing of oneself is shown while acting as another, nor the other way round', async () => {
  const { page, used } = await acting()
  expect(used.current.team.data).toMatchObject({ user: 'the member' })
  await during(() => used.current.exit.run())
  expect(used.current.team.data).toMatchObject({ user: 'ana' })
  const shown = used.all.filter(({ session }) => session.status === 'signed-in')
  const mixed = shown.filter(({ session, team }) => {
    const { user } = (team.data ?? {}) as { readonly user?: string }
    return session.status === 'signed-in' && user !== undefined && user !== session.user.id
  })
  expect(mixed).toEqual([])
  expect(page.asked().filter((asked) => asked === 'GET /team')).toHaveLength(3)
})

test('stopping goes back to the own session, and says so', async () => {
  const { page, used } = await acting()
  expect(await during(() => used.current.exit.run())).toMatchObject({ ok: true, value: { user: { id: 'ana' } } })
  expect(used.current).toMatchObject({ current: undefined, actingAs: undefined, session: { user: { id: 'ana' } } })
  expect(page.sallyport.page.getState().notices).toHaveLength(1)
})

test('one that has ended by itself ends here too, at the next request', async () => {
  const { page, used } = await acting()
  page.service.family('sid-2').ended = 'SESSION_REVOKED'
  await during(() => used.current.team.reload())
  expect(used.current).toMatchObject({ current: undefined, actingAs: undefined, session: { user: { id: 'ana' } } })
})

test('where the own session has ended meanwhile, the first request after it says so', async () => {
  const { page, used } = await acting()
  page.service.revoke('sid-1')
  expect(await during(() => used.current.exit.run())).toMatchObject({ ok: true })
  expect(used.current).toMatchObject({
    current: undefined,
    actingAs: undefined,
    session: { status: 'signed-out', reason: 'REFRESH_TOKEN_REVOKED' },
  })
})
