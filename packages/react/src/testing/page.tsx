/**
 * A page of React in a DOM, on a service in a few lines and on the test's clock.
 *
 * A test that uses it says `@vitest-environment happy-dom` at its top.
 *
 * @module
 */

import { memoryStorage } from '@sallyport/client'
import type { ReactNode } from 'react'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import type { MockInstance } from 'vitest'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { Asked, FakeService } from '../../../client/src/testing/fake-service.ts'
import { fakeService, SERVICE } from '../../../client/src/testing/fake-service.ts'
import type { Sallyport } from '../create-sallyport.ts'
import { createSallyport } from '../create-sallyport.ts'
import type { SallyportProviderProps } from '../provider.tsx'
import { SallyportProvider } from '../provider.tsx'

/** An operation as the service sees it: `GET /security/sessions`. */
export type Route = `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`

type Answered = object | undefined

/** What is answered: a body, a `Response`, or what is made of the request; with `undefined` the service answers as it would. */
type Answer = object | Made
type Made = (asked: Asked) => Answered | Promise<Answered>

type ProviderOptions = Partial<Omit<SallyportProviderProps, 'children'>>

export interface Page {
  readonly service: FakeService
  readonly sallyport: Sallyport
  /** What the service answers from now on. */
  answer(route: Route, answer: Answer): void
  /** Answers when the test says so. */
  hold(route: Route): Held
  /** The requests that arrived, oldest first, without those that find out who is signed in. */
  asked(): readonly string[]
  /** The body of the last request, or the fields of its query. */
  last(): Readonly<Record<string, unknown>>
  /** Renders something below the provider, and waits until nothing happens any more. */
  show(content: ReactNode, options?: ProviderOptions): Promise<void>
  /** Renders what uses a hook, and hands out what the hook gives. */
  use<T>(hook: () => T, options?: ProviderOptions): Promise<Used<T>>
  /** Takes what was rendered off the page. */
  leave(): Promise<void>
  text(): string
  all(selector: string): readonly HTMLElement[]
  /** What is said at once to whoever listens. */
  alerts(): readonly string[]
  /** The button, link or field of that name. */
  find(name: string): HTMLElement | undefined
  press(name: string): Promise<void>
  /** The last of that name: a dialog over the page can say the same. */
  pressLast(name: string): Promise<void>
  fill(name: string, text: string): Promise<void>
}

export interface Held {
  /** The requests that wait or have waited. */
  readonly signals: readonly AbortSignal[]
  release(answer: object): Promise<void>
}

export interface Used<T> {
  readonly current: T
  /** Every value that it has given, oldest first. */
  readonly all: readonly T[]
}

const open: (() => Promise<void>)[] = []

/** For the tests of a file: a standing clock, and pages that are closed. An error that React writes down fails the test. */
export function withPages(): void {
  let errors: MockInstance
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
      now: new Date('2030-01-01T00:00:00Z'),
    })
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
    errors = vi.spyOn(console, 'error')
  })
  afterEach(async () => {
    const complaints = errors.mock.calls.map(([first]) => String(first))
    for (const close of open.splice(0)) await close()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
    vi.useRealTimers()
    expect(complaints).toEqual([])
  })
}

/** Opens a page. Somebody is signed in, whose session it resumes, unless `as` is `null`. */
export function openPage({ as = 'ana' }: { readonly as?: string | null } = {}): Page {
  const service = fakeService()
  const storage = memoryStorage()
  if (as !== null) void storage.setItem(`sallyport:body:${SERVICE}/api:refresh`, service.issue(as).refreshToken)
  const answers = new Map<string, Answer>()
  const signals = new WeakMap<Request, AbortSignal>()
  service.before = async (asked) => {
    const answer = answers.get(routeOf(asked))
    const answered = typeof answer === 'function' ? await (answer as Made)(asked) : answer
    return answered === undefined || answered instanceof Response ? answered : Response.json(answered)
  }
  vi.stubGlobal('fetch', async (input: string, init: RequestInit) => {
    const request = new Request(input, { ...init, signal: null })
    const answered = service.serve(request, undefined)
    const { signal } = init
    if (signal == null) return answered
    signals.set(request, signal)
    return new Promise<Response>((resolve, reject) => {
      const stop = () => reject(signal.reason as Error)
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop)
      answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    })
  })
  const sallyport = createSallyport({ baseUrl: SERVICE, delivery: 'body', storage, bindKey: false })
  const container = document.createElement('div')
  document.body.append(container)
  const root = createRoot(container)
  const page: Page = {
    service,
    sallyport,
    answer: (route, answer) => void answers.set(route, answer),
    hold(route) {
      const waiting: ((answer: object) => void)[] = []
      const held: AbortSignal[] = []
      answers.set(route, async (asked) => {
        const signal = signals.get(asked.request)
        if (signal !== undefined) held.push(signal)
        return new Promise<object>((resolve) => waiting.push(resolve))
      })
      return {
        signals: held,
        async release(answer) {
          for (const resolve of waiting.splice(0)) resolve(answer)
          await settle()
        },
      }
    },
    asked: () =>
      service.asked
        .filter(({ name }) => name !== 'refresh' && name !== 'me' && name !== 'login')
        .map((asked) => routeOf(asked)),
    last() {
      const { request, body } = service.asked.at(-1) as Asked
      return request.method === 'GET' ? Object.fromEntries(new URL(request.url).searchParams) : body
    },
    async show(content, options) {
      await act(async () => {
        root.render(
          <SallyportProvider sallyport={sallyport} {...options}>
            {content}
          </SallyportProvider>,
        )
      })
      await settle()
    },
    async use<T>(hook: () => T, options: ProviderOptions = {}) {
      const all: T[] = []
      const Probe = (): ReactNode => {
        all.push(hook())
        return null
      }
      await page.show(<Probe />, { dialog: false, notices: false, ...options })
      return {
        all,
        get current() {
          return all.at(-1) as T
        },
      }
    },
    async leave() {
      await act(async () => root.render(null))
      await settle()
    },
    text: () => container.textContent ?? '',
    all: (selector) => [...container.querySelectorAll<HTMLElement>(selector)],
    alerts: () => page.all('[role=alert]').map(({ textContent }) => textContent ?? ''),
    find: (name) => called(name)[0],
    async press(name) {
      const [found] = there(name)
      await during(() => found?.click())
    },
    async pressLast(name) {
      const found = there(name).at(-1)
      await during(() => found?.click())
    },
    async fill(name, text) {
      const found = there(name).find((one) => one instanceof HTMLInputElement)
      await during(() => {
        // As the browser does it: React has its own idea of what the field holds.
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(found, text)
        found?.dispatchEvent(new Event('input', { bubbles: true }))
      })
    },
  }
  const called = (name: string) => page.all('button, a, input').filter((one) => nameOf(one, container) === name)
  const there = (name: string): readonly HTMLElement[] => {
    const found = called(name)
    if (found.length === 0) throw new Error(`nothing is called ${name} in: ${page.text()}`)
    return found
  }
  open.push(async () => {
    await act(async () => root.unmount())
    container.remove()
    sallyport.close()
  })
  return page
}

/** Lets what was begun come to its end, as far as it takes no time to speak of. */
export async function settle(): Promise<void> {
  await pass(0)
}

/** Lets time pass. */
export async function pass(ms: number): Promise<void> {
  await act(async () => vi.advanceTimersByTimeAsync(ms))
  for (let times = 0; times < 8; times += 1) {
    // What is rendered at the end of one may begin something else.
    await act(async () => {
      // Bodies are read by streams, which take their turns beside the clock.
      await new Promise((resolve) => setImmediate(resolve))
      // What is put off to the next turn in a turn of this clock is put off by a millisecond.
      await vi.advanceTimersByTimeAsync(1)
    })
  }
}

/** Does something, and waits until nothing happens any more. */
export async function during<T>(work: () => T): Promise<Awaited<T>> {
  let done: Promise<Awaited<T>> | undefined
  await act(async () => {
    done = (async () => work())() as Promise<Awaited<T>>
    done.catch(() => undefined)
  })
  await settle()
  return done as Promise<Awaited<T>>
}

function routeOf({ request }: Asked): string {
  return `${request.method} ${new URL(request.url).pathname.replace('/api', '')}`
}

function nameOf(element: HTMLElement, page: HTMLElement): string {
  const label = element.id === '' ? null : page.querySelector(`label[for="${element.id}"]`)
  const words = label ?? element.closest('label') ?? element
  return (element.getAttribute('aria-label') ?? words.textContent ?? '').trim()
}
