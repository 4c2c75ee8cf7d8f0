import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { useLocale, useMessages } from '../context.ts'
import { SallyportProvider } from '../provider.tsx'
import type { Page } from '../testing/page.tsx'
import { during, openPage, pass, withPages } from '../testing/page.tsx'
import { useAction } from './use-action.ts'
import { useConnection, useNotices, useResume, useSallyport } from './use-sallyport.ts'
import { usePermission, useSession, useSignedIn } from './use-session.ts'
import { useStepUp } from './use-step-up.ts'

withPages()

/** Renders a hook once, as a server would. */
function render(hook: () => unknown, page?: Page): string {
  const Probe = (): ReactNode => JSON.stringify(hook())
  return renderToStaticMarkup(
    page === undefined ? (
      <Probe />
    ) : (
      <SallyportProvider sallyport={page.sallyport} dialog={false} notices={false}>
        <Probe />
      </SallyportProvider>
    ),
  )
}

test.each<[string, () => unknown]>([
  ['useSallyport', useSallyport],
  ['useConnection', useConnection],
  ['useResume', useResume],
  ['useNotices', useNotices],
  ['useSession', useSession],
  ['useStepUp', useStepUp],
  ['useAction', () => useAction(async () => undefined)],
])('%s says that there is no provider', (name, hook) => {
  expect(() => render(hook)).toThrow(new TypeError(`${name}: there is no <SallyportProvider> above`))
})

test('texts and locale are there without a provider', () => {
  expect(render(() => [useMessages().common.cancel, useLocale()])).toContain('Cancel')
})

test('texts and locale are those of the host, and the English ones where it has none', async () => {
  const options = { messages: { common: { cancel: 'Abbrechen' } }, locale: 'de' }
  const used = await openPage().use(() => ({ messages: useMessages(), locale: useLocale() }), options)
  expect(used.current.locale).toBe('de')
  expect(used.current.messages.common.cancel).toBe('Abbrechen')
  expect(used.current.messages.common.close).toBe('Close')
})

test('who is signed in is unknown until the page has looked', async () => {
  const page = openPage()
  const session = await page.use(() => useSession())
  expect(session.all[0]).toEqual({ status: 'unknown' })
  expect(session.current).toMatchObject({ status: 'signed-in', user: { id: 'ana' }, tenant: { id: 't1' } })
})

test('where nobody was signed in, nobody was signed out', async () => {
  const session = await openPage({ as: null }).use(() => useSession())
  expect(session.current).toEqual({ status: 'signed-out' })
})

test('a sign-in, a sign-out and a session that ends elsewhere are seen by whoever looks', async () => {
  const page = openPage({ as: null })
  const used = await page.use(() => ({ session: useSession(), ...useSallyport() }))
  const { client } = used.current
  await during(() => client.signIn({ email: 'ben', password: 'right' }))
  expect(used.current.session).toMatchObject({ status: 'signed-in', user: { id: 'ben' } })
  await during(() => client.signOut())
  expect(used.current.session).toEqual({ status: 'signed-out', reason: 'SIGNED_OUT' })
  await during(() => client.signIn({ email: 'ben', password: 'right' }))
  page.service.revoke('sid-2', 'REFRESH_TOKEN_REUSED')
  await during(() => client.api.listTeam().catch(() => undefined))
  expect(used.current.session).toEqual({ status: 'signed-out', reason: 'REFRESH_TOKEN_REUSED' })
})

test('useSignedIn hands out who it is, and throws where nobody is', async () => {
  const page = openPage()
  expect(() => render(useSignedIn, page)).toThrow(new TypeError('useSignedIn: nobody is signed in'))
  await page.use(() => useSession())
  const used = await page.use(() => useSignedIn())
  expect(used.current.user.id).toBe('ana')
})

test('a permission is what the service said last, and nobody has one who is not signed in', async () => {
  const page = openPage()
  let permissions = ['TEAM_VIEW']
  page.answer('GET /auth/me', () => ({
    user: { id: 'ana' },
    tenant: { id: 't1' },
    staff: { id: 's1', role: 'owner', permissions },
    session: { id: 'sid-1' },
    impersonation: null,
  }))
  const used = await page.use(() => ({ view: usePermission('TEAM_VIEW'), edit: usePermission('TEAM_EDIT') }))
  expect(used.all[0]).toEqual({ view: false, edit: false })
  expect(used.current).toEqual({ view: true, edit: false })
  permissions = ['TEAM_EDIT']
  await during(() => page.sallyport.client.session({ reload: true }))
  expect(used.current).toEqual({ view: false, edit: true })
  await during(() => page.sallyport.client.signOut())
  expect(used.current).toEqual({ view: false, edit: false })
})

test('a hook is rendered anew by what it hands out, and by nothing else of the page', async () => {
  const page = openPage()
  const used = await page.use(() => ({ ...useSallyport(), connection: useConnection(), demand: useStepUp() }))
  const rendered = used.all.length
  await during(() => used.current.notify('A word'))
  expect(used.all.length).toBe(rendered)
  await during(() => page.sallyport.page.setState({ connection: 'down' }))
  expect(used.current.connection).toBe('down')
})

test('off the page a hook is rendered by nothing any more', async () => {
  const page = openPage()
  const used = await page.use(() => [useSession(), useConnection(), useNotices(), useStepUp(), useResume()])
  await page.leave()
  const rendered = used.all.length
  await during(() => page.sallyport.notify('A word'))
  await during(() => page.sallyport.client.signOut())
  expect(used.all.length).toBe(rendered)
})

test('words to the person are there until they are dismissed, three at most', async () => {
  const page = openPage()
  const used = await page.use(() => ({ ...useSallyport(), notices: useNotices() }))
  const { notify, dismiss } = used.current
  await during(() => {
    notify('One')
    notify('Two', 'danger')
  })
  expect(used.current.notices.map(({ tone, text }) => [tone, text])).toEqual([
    ['ok', 'One'],
    ['danger', 'Two'],
  ])
  await during(() => dismiss(used.current.notices[0]?.id ?? 0))
  expect(used.current.notices.map(({ text }) => text)).toEqual(['Two'])
  await during(() => ['Three', 'Four', 'Five'].forEach((text) => notify(text)))
  expect(used.current.notices.map(({ text }) => text)).toEqual(['Three', 'Four', 'Five'])
  expect([used.current.notify, used.current.dismiss]).toEqual([notify, dismiss])
})

test('why it could not be told who is signed in is said, and another try goes on', async () => {
  const page = openPage()
  let blocked = true
  page.answer('POST /auth/refresh', () => (blocked ? problem(403, 'IP_BLOCKED') : undefined))
  const used = await page.use(() => ({ ...useResume(), session: useSession(), connection: useConnection() }))
  expect(used.current).toMatchObject({
    error: { code: 'IP_BLOCKED' },
    session: { status: 'unknown' },
    connection: 'up',
  })
  await during(() => used.current.retry())
  expect(used.current.error).toMatchObject({ code: 'IP_BLOCKED' })
  blocked = false
  await during(() => used.current.retry())
  expect(used.current).toMatchObject({ error: undefined, session: { status: 'signed-in' } })
})

test('a service that is away is waited for, and then everything is as if it had been there', async () => {
  const page = openPage()
  let away = true
  page.answer('POST /auth/refresh', () => {
    if (away) throw new TypeError('fetch failed')
    return undefined
  })
  const used = await page.use(() => ({ ...useResume(), session: useSession(), connection: useConnection() }))
  await pass(60_000)
  expect(used.current).toMatchObject({ connection: 'down', error: undefined, session: { status: 'unknown' } })
  away = false
  await pass(10_000)
  expect(used.current).toMatchObject({ connection: 'up', error: undefined, session: { status: 'signed-in' } })
})

test('a held session asks for the second factor, and goes on once it is given', async () => {
  const page = openPage()
  page.service.family('sid-1').waits = true
  const used = await page.use(() => ({ demand: useStepUp(), session: useSession(), ...useResume() }))
  expect(used.current).toMatchObject({
    session: { status: 'unknown' },
    demand: { purpose: 'session_risk', score: 60, reasons: ['DEVICE_MISMATCH'] },
  })
  await during(() => used.current.demand?.cancel())
  expect(used.current).toMatchObject({ demand: undefined, error: { code: 'STEP_UP_CANCELLED' } })
  const retry = await during(() => ({ done: used.current.retry() }))
  await during(() => used.current.demand?.verify({ factor: 'totp', code: '123456' }))
  await retry.done
  expect(used.current).toMatchObject({ demand: undefined, error: undefined, session: { status: 'signed-in' } })
})

test('of several demands the oldest is asked first, and one purpose is asked once', async () => {
  const page = openPage()
  const demanding = (purpose: string) => () =>
    page.service.family('sid-1').opened.has(purpose)
      ? { success: true }
      : problem(428, 'STEP_UP_REQUIRED', { purpose, factors: ['totp'] })
  page.answer('DELETE /team/s1', demanding('team_change'))
  page.answer('DELETE /team/s2', demanding('team_change'))
  page.answer('POST /auth/email', demanding('security_settings'))
  const used = await page.use(() => ({ demand: useStepUp(), ...useSallyport() }))
  const { api } = used.current.client
  const all = await during(() => ({
    done: Promise.all([
      api.removeMember({ staffId: 's1' }),
      api.removeMember({ staffId: 's2' }),
      api.changeEmail({ email: 'a@example.com' }),
    ]),
  }))
  expect(page.sallyport.page.getState().demands).toHaveLength(2)
  expect(used.current.demand?.purpose).toBe('team_change')
  await during(() => used.current.demand?.verify({ factor: 'totp', code: '123456' }))
  expect(used.current.demand?.purpose).toBe('security_settings')
  await during(() => used.current.demand?.verify({ factor: 'totp', code: '123456' }))
  expect(used.current.demand).toBeUndefined()
  expect(await all.done).toHaveLength(3)
})

test('what was asked of somebody who has signed out is asked no longer', async () => {
  const page = openPage()
  page.answer('DELETE /team/s1', () => problem(428, 'STEP_UP_REQUIRED', { purpose: 'team_change', factors: ['totp'] }))
  const used = await page.use(() => ({ demand: useStepUp(), ...useSallyport() }))
  const removal = await during(() => ({
    refused: used.current.client.api.removeMember({ staffId: 's1' }).catch(String),
  }))
  expect(used.current.demand?.purpose).toBe('team_change')
  await during(() => used.current.client.signOut())
  expect(used.current.demand).toBeUndefined()
  expect(await removal.refused).toContain('not signed in')
})
