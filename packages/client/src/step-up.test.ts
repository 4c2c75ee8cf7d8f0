import { describe, expect, test } from 'vitest'
import type { Client } from './client.ts'
import { SallyportError } from './errors.ts'
import { memoryStorage } from './memory-storage.ts'
import type { ClientOptions } from './options.ts'
import type { StepUpDemand } from './step-up.ts'
import { outcome, pass, useClock, value } from './testing/clock.ts'
import { fakeBrowser } from './testing/fake-browser.ts'
import type { FakeService } from './testing/fake-service.ts'
import { fakeService, problem, SERVICE } from './testing/fake-service.ts'

useClock()

const ADA = { email: 'ada', password: 'right' }
const RIGHT = { factor: 'totp', code: '123456' } as const
const WRONG = { factor: 'totp', code: '000000' } as const
const MINUTE = 60_000

async function signedIn(options: ClientOptions = {}) {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const demands: StepUpDemand[] = []
  const ended: string[] = []
  const all: ClientOptions = {
    onStepUp: (demand) => demands.push(demand),
    onSignedOut: ({ reason }) => ended.push(reason),
    ...options,
  }
  const client = browser.tab(all)
  await value(client.signIn(ADA))
  return { service, browser, client, demands, ended, options: all }
}
const export_ = (client: Client, file = 'user-sessions.csv') =>
  client.fetch(`${SERVICE}/api/compliance/export/${file}?stepUp=data_export`).then(
    ({ status }) => status,
    ({ code }: SallyportError) => code,
  )
/** Until it is asked. */
async function asked(demands: readonly StepUpDemand[], count = 1): Promise<StepUpDemand> {
  for (let waited = 0; demands.length < count && waited < 200; waited++) await pass(25)
  expect(demands).toHaveLength(count)
  return demands.at(-1) as StepUpDemand
}

describe('a second factor for a purpose', () => {
  test('is asked for once by all who need it at once, and then every action goes on by itself', async () => {
    const { client, demands, service } = await signedIn()
    const actions = Promise.all([export_(client), export_(client, 'audit-logs.csv'), export_(client)])
    const demand = await asked(demands)
    expect(demand).toMatchObject({ purpose: 'data_export', factors: ['totp'] })
    await value(demand.verify(RIGHT))
    expect(await value(actions)).toEqual([200, 200, 200])
    await value(demand.settled)
    expect([demands.length, service.count('verifyStepUp')]).toEqual([1, 1])
  })

  test('that is wrong is said at the field, and can be given again', async () => {
    const { client, demands, service } = await signedIn()
    const action = export_(client)
    const demand = await asked(demands)
    expect(await outcome(demand.verify(WRONG))).toBe('INVALID_OTP')
    service.before = ({ name }) => name === 'verifyStepUp' && problem(429, 'RATE_LIMITED', { retryAfter: 900 })
    expect(await outcome(demand.verify(RIGHT))).toBe('RATE_LIMITED')
    service.before = () => {
      throw new Error('no network')
    }
    expect(await outcome(demand.verify(RIGHT))).toBe('NETWORK')
    service.before = () => undefined
    await value(demand.verify(RIGHT))
    expect(await value(action)).toBe(200)
  })

  test('that is not given ends the action, and the next one asks anew', async () => {
    const { client, demands } = await signedIn()
    const action = export_(client)
    const demand = await asked(demands)
    demand.cancel()
    expect(await value(action)).toBe('STEP_UP_CANCELLED')
    await value(demand.settled)
    const again = export_(client)
    await value((await asked(demands, 2)).verify(RIGHT))
    expect(await value(again)).toBe(200)
  })

  test('that the service asks for again is not asked for in circles', async () => {
    const { client, demands, service } = await signedIn()
    service.before = ({ name }) =>
      name === 'other' && problem(428, 'STEP_UP_REQUIRED', { purpose: 'data_export', factors: ['totp'] })
    const action = export_(client)
    await value((await asked(demands)).verify(RIGHT))
    expect(await value(action)).toBe('STEP_UP_REQUIRED')
    expect(demands).toHaveLength(1)
  })

  test('with no dialog, or with one that cannot be opened, the action ends', async () => {
    const { client } = await signedIn({ onStepUp: undefined })
    expect(await value(export_(client))).toBe('STEP_UP_REQUIRED')
    for (const onStepUp of [
      () => {
        throw new SallyportError('UNEXPECTED', 'no dialog')
      },
      () => Promise.reject(new SallyportError('UNEXPECTED', 'no dialog')),
    ]) {
      const { client: other } = await signedIn({ onStepUp })
      expect(await value(export_(other))).toBe('UNEXPECTED')
    }
  })

  test('of two purposes is two demands', async () => {
    const { client, demands } = await signedIn()
    const actions = Promise.all([
      export_(client),
      client.fetch(`${SERVICE}/api/anything?stepUp=impersonate`).then(({ status }) => status),
    ])
    await asked(demands, 2)
    expect(demands.map(({ purpose }) => purpose).sort()).toEqual(['data_export', 'impersonate'])
    for (const demand of demands) await value(demand.verify(RIGHT))
    expect(await value(actions)).toEqual([200, 200])
  })

  test('is moot once the person is signed out', async () => {
    const { client, demands } = await signedIn()
    const action = export_(client)
    const demand = await asked(demands)
    await value(client.signOut())
    expect(await value(action)).toBe('SIGNED_OUT')
    await value(demand.settled)
  })

  test('is moot once somebody else is signed in', async () => {
    const { client, demands } = await signedIn()
    const action = export_(client)
    await asked(demands)
    await value(client.signIn({ ...ADA, email: 'bob' }))
    expect(await value(action)).toBe('SIGNED_OUT')
  })

  test('a code can be sent by mail', async () => {
    const { client, demands, service } = await signedIn()
    void export_(client)
    await value((await asked(demands)).emailCode())
    expect(service.asked.at(-1)).toMatchObject({ name: 'sendEmailCode', body: { purpose: 'data_export' } })
  })
})

describe('a session that is made to wait at its refresh', () => {
  test.each(['cookie', 'body'] as const)(
    'goes on after its step-up, and so does what waited (%s)',
    async (delivery) => {
      const { client, demands, service, ended } = await signedIn({ delivery })
      service.family('sid-1').waits = true
      const actions = Promise.all([client.api.listSessions(), client.api.listTeam()])
      const demand = await asked(demands)
      expect(demand).toMatchObject({ purpose: 'session_risk', score: 60, reasons: ['DEVICE_MISMATCH'] })
      expect(await outcome(demand.verify(WRONG))).toBe('INVALID_OTP')
      await value(demand.verify(RIGHT))
      await value(actions)
      const [first, again] = service.asked.filter(({ name }) => name === 'refresh')
      // The same refresh again, now with what it is known by that this client passed it.
      expect(again?.body).toEqual({
        ...first?.body,
        stepUpToken: service.asked.find(({ name }) => name === 'verifyStepUp')?.token,
      })
      expect([demands.length, service.reuses, ended]).toEqual([1, 0, []])
    },
  )

  test('waits on where the person gives up, and asks again at the next call', async () => {
    const { client, demands, service, ended } = await signedIn()
    service.family('sid-1').waits = true
    const action = client.api.listSessions()
    ;(await asked(demands)).cancel()
    expect(await outcome(action)).toBe('STEP_UP_CANCELLED')
    expect([client.state().status, ended]).toEqual(['signed-in', []])
    const again = client.api.listSessions()
    await value((await asked(demands, 2)).verify(RIGHT))
    await value(again)
  })

  test('is opened in every tab by the one where it was passed', async () => {
    const { browser, client, demands, service, options } = await signedIn()
    const theirs: StepUpDemand[] = []
    const other = browser.tab({ ...options, onStepUp: (demand) => theirs.push(demand) })
    await value(other.session())
    service.family('sid-1').waits = true
    const actions = Promise.all([client.api.listSessions(), other.api.listSessions()])
    const demand = await asked(demands)
    const their = await asked(theirs)
    await value(demand.verify(RIGHT))
    await value(their.settled)
    await value(actions)
    expect([demands.length, theirs.length]).toEqual([1, 1])
  })

  test('a step-up that took too long ends the demand', async () => {
    const { client, demands, service } = await signedIn()
    service.family('sid-1').waits = true
    const action = client.api.listSessions().catch(({ code }: SallyportError) => code)
    const demand = await asked(demands)
    service.before = ({ name }) => name === 'verifyStepUp' && problem(401, 'TOKEN_EXPIRED')
    expect(await outcome(demand.verify(RIGHT))).toBe('TOKEN_EXPIRED')
    expect(await value(action)).toBe('TOKEN_EXPIRED')
    await value(demand.settled)
    expect(client.state().status).toBe('signed-in')
  })

  test('a page that is loaded meanwhile asks too', async () => {
    const { browser, service } = await signedIn()
    service.family('sid-1').waits = true
    const demands: StepUpDemand[] = []
    const next = browser.tab({ onStepUp: (demand) => demands.push(demand) }, { BroadcastChannel: undefined } as never)
    const resumed = next.session()
    await value((await asked(demands)).verify(RIGHT))
    expect(await value(resumed)).toMatchObject({ user: { id: 'ada' } })
    expect(await pass(10 * MINUTE)).toBeUndefined()
  })
})

describe('a sign-in that is held', () => {
  const HELD = { email: 'ada', password: 'held' }
  const begin = (service: FakeService, options: ClientOptions = {}) => {
    const demands: StepUpDemand[] = []
    const client = fakeBrowser(service).tab({ onStepUp: (demand) => demands.push(demand), ...options })
    return { client, demands }
  }

  test('goes on by itself with its second factor', async () => {
    const service = fakeService()
    const { client, demands } = begin(service, { delivery: 'body', storage: memoryStorage() })
    const signIn = client.signIn(HELD)
    const demand = await asked(demands)
    expect(demand).toMatchObject({ purpose: 'sign_in', factors: ['totp', 'passkey'] })
    await value(demand.emailCode())
    expect(service.asked.at(-1)).toMatchObject({ body: { purpose: 'sign_in' }, token: 'su-ada' })
    expect(await outcome(demand.verify(WRONG))).toBe('INVALID_OTP')
    await value(demand.verify(RIGHT))
    expect(await value(signIn)).toMatchObject({ status: 'signed-in', user: { id: 'ada' } })
    await pass(10 * MINUTE)
    await value(client.api.listSessions())
  })

  test('ends where it is not given, and without a dialog at once', async () => {
    const service = fakeService()
    const { client, demands } = begin(service)
    const signIn = client.signIn(HELD)
    ;(await asked(demands)).cancel()
    expect(await outcome(signIn)).toBe('STEP_UP_CANCELLED')
    expect(client.state()).toEqual({ status: 'unknown' })
    expect(await outcome(begin(service, { onStepUp: undefined }).client.signIn(HELD))).toBe('STEP_UP_REQUIRED')
  })

  test('two at once are two demands', async () => {
    const { client, demands } = begin(fakeService())
    const first = client.signIn(HELD)
    const second = client.signIn({ ...HELD, email: 'bob' })
    await asked(demands, 2)
    for (const demand of demands) await value(demand.verify(RIGHT))
    expect((await value(Promise.all([first, second]))).map(({ user }) => user.id)).toEqual(['ada', 'bob'])
  })

  test('goes on where somebody is signed in already', async () => {
    const { client, demands } = await signedIn()
    const signIn = client.signIn({ ...HELD, email: 'bob' })
    await value((await asked(demands)).verify(RIGHT))
    expect(await value(signIn)).toMatchObject({ user: { id: 'bob' } })
  })

  test('ends with the client', async () => {
    const { client, demands } = begin(fakeService())
    const signIn = client.signIn(HELD).catch(({ code }: SallyportError) => code)
    await asked(demands)
    client.close()
    expect(await value(signIn)).toBe('CLOSED')
  })

  test('is not disturbed by a page that finds nobody signed in', async () => {
    const service = fakeService()
    const { client, demands } = begin(service, { baseUrl: SERVICE })
    const signIn = client.signIn(HELD)
    const demand = await asked(demands)
    expect(await value(client.session())).toBeUndefined()
    await value(demand.verify(RIGHT))
    expect(await value(signIn)).toMatchObject({ user: { id: 'ada' } })
  })
})
