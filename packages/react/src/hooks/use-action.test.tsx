import { SallyportError } from '@sallyport/client'
import { expect, test, vi } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, pass, withPages } from '../testing/page.tsx'
import { useKey, useLoaded } from './query.ts'
import { useAction } from './use-action.ts'
import { useConnection, useNotices, useSallyport } from './use-sallyport.ts'
import { useSession } from './use-session.ts'
import { useStepUp } from './use-step-up.ts'

withPages()

/** Something that goes on until the test says how it ends. */
function slow() {
  const waiting: PromiseWithResolvers<string>[] = []
  const act = vi.fn(async (_input: string) => {
    const one = withResolvers<string>()
    waiting.push(one)
    return one.promise
  })
  return {
    act,
    end: async (value: string) => during(() => waiting.shift()?.resolve(value)),
    refuse: async (error: unknown) => during(() => waiting.shift()?.reject(error)),
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => undefined, () => undefined]
  const promise = new Promise<T>((yes, no) => {
    ;[resolve, reject] = [yes, no]
  })
  return { promise, resolve, reject }
}

const refusal = (code: 'FORBIDDEN' | 'NETWORK' = 'FORBIDDEN') => new SallyportError(code, 'as it is')

test('an action is busy with its input until it is over, and hands out the value', async () => {
  const { act, end } = slow()
  const action = await openPage().use(() => useAction(act))
  expect(action.current).toMatchObject({ busy: false, input: undefined, error: undefined })
  const run = await during(() => ({ outcome: action.current.run('one') }))
  expect(action.current).toMatchObject({ busy: true, input: 'one', error: undefined })
  await end('done')
  expect(await run.outcome).toEqual({ ok: true, value: 'done' })
  expect(action.current).toMatchObject({ busy: false, input: undefined, error: undefined })
})

test('a refusal is an outcome, stays with its input, and is gone once another try has begun', async () => {
  const { act, end, refuse } = slow()
  const action = await openPage().use(() => useAction(act))
  const run = await during(() => ({ outcome: action.current.run('one') }))
  const error = refusal()
  await refuse(error)
  expect(await run.outcome).toEqual({ ok: false, error })
  expect(action.current).toMatchObject({ busy: false, input: 'one', error })
  await during(() => void action.current.run('two'))
  expect(action.current).toMatchObject({ busy: true, input: 'two', error: undefined })
  await end('done')
  expect(action.current).toMatchObject({ busy: false, error: undefined })
})

test('reset forgets the refusal', async () => {
  const { act, refuse } = slow()
  const action = await openPage().use(() => useAction(act))
  await during(() => void action.current.run('one'))
  await refuse(refusal())
  await during(() => action.current.reset())
  expect(action.current).toMatchObject({ busy: false, input: undefined, error: undefined })
})

test('while it is busy a second call does nothing and resolves as the first; afterwards it can be done again', async () => {
  const { act, end } = slow()
  const action = await openPage().use(() => useAction(act))
  const runs = await during(() => ({ outcomes: [action.current.run('one'), action.current.run('two')] }))
  expect(action.current.input).toBe('one')
  await end('done')
  expect(await Promise.all(runs.outcomes)).toEqual([
    { ok: true, value: 'done' },
    { ok: true, value: 'done' },
  ])
  expect(act.mock.calls).toEqual([['one']])
  await during(() => void action.current.run('three'))
  await end('again')
  expect(act.mock.calls).toEqual([['one'], ['three']])
})

test('whatever is thrown is a SallyportError to whoever asked', async () => {
  const { act, refuse } = slow()
  const action = await openPage().use(() => useAction(act))
  await during(() => void action.current.run('one'))
  const cause = new TypeError('a mistake')
  await refuse(cause)
  expect(action.current.error).toMatchObject({ code: 'UNEXPECTED', message: 'a mistake', cause })
  await during(() => void action.current.run('one'))
  await refuse('words')
  expect(action.current.error).toMatchObject({ code: 'UNEXPECTED', message: 'words' })
})

test('what throws before it has begun is refused too, and can be done again', async () => {
  const act = vi.fn((input: string): Promise<string> => {
    if (input === 'bad') throw new TypeError('a mistake')
    return Promise.resolve(input)
  })
  const action = await openPage().use(() => useAction(act))
  expect(await during(() => action.current.run('bad'))).toMatchObject({ ok: false })
  expect(action.current).toMatchObject({ busy: false, error: { code: 'UNEXPECTED' } })
  expect(await during(() => action.current.run('good'))).toEqual({ ok: true, value: 'good' })
  expect(action.current).toMatchObject({ busy: false, error: undefined })
})

test('run and reset stay the same, and do what the last rendering said', async () => {
  const page = openPage()
  let word = 'first'
  const action = await page.use(() => {
    const said = word
    return { ...useAction(async () => said, { notice: (value) => `${said} ${value}` }), notices: useNotices() }
  })
  const { run, reset } = action.current
  word = 'second'
  await during(() => page.sallyport.notify('rendered anew'))
  expect([action.current.run, action.current.reset]).toEqual([run, reset])
  expect(await during(() => run())).toEqual({ ok: true, value: 'second' })
  expect(action.current.notices.map(({ text }) => text)).toEqual(['rendered anew', 'second second'])
})

test('a notice is said when it went well, and not when it was refused', async () => {
  const page = openPage()
  const { act, end, refuse } = slow()
  const action = await page.use(() => useAction(act, { notice: (value) => `It is ${value}` }))
  const notices = () => page.sallyport.page.getState().notices.map(({ tone, text }) => [tone, text])
  await during(() => void action.current.run('one'))
  await refuse(refusal())
  expect(notices()).toEqual([])
  await during(() => void action.current.run('one'))
  expect(notices()).toEqual([])
  await end('done')
  expect(notices()).toEqual([['ok', 'It is done']])
})

test('what it changes is loaded anew before it is over', async () => {
  const page = openPage()
  let members = ['ana']
  page.answer('GET /team', () => ({ members }))
  const { act, end } = slow()
  const action = await page.use(() => {
    const key = useKey()
    const team = useLoaded(['team'], ({ api }, signal) => api.listTeam({}, { signal }))
    useLoaded(['roles'], ({ api }, signal) => api.listRoles({}, { signal }))
    return { team, ...useAction(act, { refreshes: [key('team')] }) }
  })
  await during(() => void action.current.run('one'))
  members = ['ana', 'ben']
  const team = page.hold('GET /team')
  await end('done')
  expect(action.current.busy).toBe(true)
  await team.release({ members })
  expect(action.current.busy).toBe(false)
  expect(action.current.team.data).toEqual({ members: ['ana', 'ben'] })
  expect(page.asked()).toEqual(['GET /team', 'GET /team/roles', 'GET /team'])
})

test('what did not reach the service says so to the whole page, and what did takes it back', async () => {
  const { act, end, refuse } = slow()
  const action = await openPage().use(() => ({ ...useAction(act), connection: useConnection() }))
  await during(() => void action.current.run('one'))
  await refuse(refusal('NETWORK'))
  expect(action.current).toMatchObject({ connection: 'down', error: { code: 'NETWORK' } })
  await during(() => void action.current.run('one'))
  await end('done')
  expect(action.current.connection).toBe('up')
})

test('left while it goes on, it comes to its end, is said, and renders nothing any more', async () => {
  const page = openPage()
  const { act, end } = slow()
  const action = await page.use(() => useAction(act, { notice: () => 'Done' }))
  const run = await during(() => ({ outcome: action.current.run('one') }))
  await page.leave()
  const rendered = action.all.length
  await end('done')
  expect(await run.outcome).toEqual({ ok: true, value: 'done' })
  expect(page.sallyport.page.getState().notices.map(({ text }) => text)).toEqual(['Done'])
  expect(action.all.length).toBe(rendered)
})

test('a session that has ended ends the action, and the page', async () => {
  const page = openPage()
  const action = await page.use(() => {
    const { client } = useSallyport()
    return { ...useAction((staffId: string) => client.api.removeMember({ staffId })), session: useSession() }
  })
  page.service.revoke('sid-1')
  await during(() => void action.current.run('ben'))
  expect(action.current).toMatchObject({ busy: false, error: { status: 401, code: 'REFRESH_TOKEN_REVOKED' } })
  expect(action.current.session).toEqual({ status: 'signed-out', reason: 'REFRESH_TOKEN_REVOKED' })
})

/** A removal that wants a second factor. */
async function removal() {
  const page = openPage()
  page.answer('DELETE /team/ben', () =>
    page.service.family('sid-1').opened.has('team_change')
      ? { success: true }
      : problem(428, 'STEP_UP_REQUIRED', { purpose: 'team_change', factors: ['totp'] }),
  )
  const used = await page.use(() => {
    const { client } = useSallyport()
    return { ...useAction((staffId: string) => client.api.removeMember({ staffId })), demand: useStepUp() }
  })
  return { page, used }
}

test('an action that needs a second factor waits for it, and goes on by itself', async () => {
  const { page, used } = await removal()
  const run = await during(() => ({ outcome: used.current.run('ben') }))
  expect(used.current).toMatchObject({ busy: true, demand: { purpose: 'team_change', factors: ['totp'] } })
  const wrong = during(() => used.current.demand?.verify({ factor: 'totp', code: '000000' }))
  await expect(wrong).rejects.toMatchObject({ code: 'INVALID_OTP' })
  // A wrong code leaves it as it was.
  expect(used.current).toMatchObject({ busy: true, demand: { purpose: 'team_change' } })
  await during(() => used.current.demand?.verify({ factor: 'totp', code: '123456' }))
  expect(await run.outcome).toEqual({ ok: true, value: { success: true } })
  expect(used.current).toMatchObject({ busy: false, error: undefined, demand: undefined })
  expect(page.asked().filter((asked) => asked === 'DELETE /team/ben')).toHaveLength(2)
})

test('a second factor that is not given refuses the action, and nothing was sent again', async () => {
  const { page, used } = await removal()
  await during(() => void used.current.run('ben'))
  await during(() => used.current.demand?.cancel())
  expect(used.current).toMatchObject({ busy: false, error: { code: 'STEP_UP_CANCELLED' }, demand: undefined })
  await pass(60_000)
  expect(page.asked()).toEqual(['DELETE /team/ben'])
})
