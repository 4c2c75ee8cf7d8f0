/**
 * Makes a client: puts the parts together, and holds who is signed in.
 *
 * @module
 */

import type { Held } from './access-token.ts'
import { hold } from './access-token.ts'
import type { Api, CallOptions, Client } from './client.ts'
import { cookieCredentials, storedCredentials } from './credentials.ts'
import { demandsOf, type Steps } from './demands.ts'
import type { ErrorCode } from './errors.ts'
import { SallyportError } from './errors.ts'
import type { Operations, ProblemFacts } from './generated/api.ts'
import { OPERATIONS } from './generated/operations.ts'
import { keyBinding } from './key-binding.ts'
import type { ClientOptions } from './options.ts'
import { persistence } from './persist.ts'
import type { Platform } from './platform.ts'
import { failure, refusalOf, service } from './service.ts'
import type { AuthState, Identity, SignedInState } from './state.ts'
import type { Message } from './tabs.ts'
import { otherTabs } from './tabs.ts'

/**
 * Makes a client of one service. Nothing is asked before its first call.
 *
 * @example
 * const client = createClient({ onStepUp: (demand) => dialog.open(demand), onSignedOut: () => router.go('/sign-in') })
 */
export function createClient(options: ClientOptions = {}): Client {
  return createClientOn(globalThis as Platform, options)
}

/** Operations that a session begins with. */
type Entrance = 'login' | 'signUp' | 'acceptInvitation'

/** The same, where a test says. */
export function createClientOn(platform: Platform, options: ClientOptions): Client {
  const { location } = platform
  const now = () => platform.Date.now()
  const { basePath = '/api', storage, bindKey = true, origins = [], onStepUp, onSignedOut } = options
  const baseUrl = (options.baseUrl || location?.origin || '').replace(/\/$/, '')
  const origin = baseUrl && new URL(baseUrl).origin
  const delivery = options.delivery ?? (location ? 'cookie' : 'body')
  const inCookie = delivery === 'cookie'
  const base = baseUrl + basePath
  const name = `sallyport:${delivery}:${base}`

  /** Set where nothing can be sent: at once, where a page is rendered on a server that says nothing of the service. */
  let closed = baseUrl ? undefined : new SallyportError('UNEXPECTED', 'baseUrl is needed')
  const fetch: Platform['fetch'] = async (input, init) => {
    if (closed) throw closed
    return platform.fetch(input, init)
  }
  const key = keyBinding(platform, base)
  const send = service(platform, fetch, base, key)
  const [persist, persistRenewing] = [persistence(platform), persistence(platform)]
  const demands = demandsOf(onStepUp)
  const credentials = inCookie
    ? cookieCredentials(platform, name, origin === location?.origin)
    : storedCredentials(platform, name, storage)
  const tabs = otherTabs(platform, name, !!location && (inCookie || !!storage), hear)

  let state: AuthState = { status: 'unknown' }
  /** The session itself. Who it is may still be to be asked. */
  let own: { readonly held: Held; readonly me: SignedInState | undefined } | undefined
  /** Whom this tab acts as. */
  let acting: { readonly held: Held; readonly me: SignedInState } | undefined
  let renewing: Promise<Held> | undefined
  let resuming: Promise<SignedInState | undefined> | undefined
  /** What came last to this tab, and to another. */
  let landed: Held | undefined
  let heard: Held | undefined
  const listeners = new Set<() => void>()

  async function renewOnce(stale: string | undefined, stepUpToken: string | undefined): Promise<Held> {
    // Another tab may have been faster while the lock was waited for.
    const known = own?.held
    if (known && known.token !== stale && known.dueAt > now()) return known
    const presented = await credentials.read()
    if (!presented) {
      end('SIGNED_OUT')
      throw signedOut()
    }
    /** A slow answer is never put over what is newer, clears nothing but what it refused, and brings nobody back who signed out. */
    const mustBeCurrent = async () => {
      if (known?.sid === own?.held.sid && (await credentials.isCurrent(presented))) return
      throw new SallyportError('RETRY', 'try again')
    }
    const sentAt = now()
    try {
      const deviceFingerprint = await credentials.device()
      const answer = await proven('refresh', { ...presented, deviceFingerprint, stepUpToken })
      const held = hold(answer, now(), sentAt)
      await mustBeCurrent()
      await credentials.keep(answer.refreshToken)
      return adopt(held)
    } catch (thrown) {
      const error = thrown as SallyportError
      if (isFinal(error)) {
        await mustBeCurrent()
        await credentials.drop()
        // Where no token came along, nobody was signed in.
        end(error.status === 400 ? 'SIGNED_OUT' : error.code)
      }
      throw error
    }
  }

  /** The refusals that end a session. Whatever else is answered, it goes on with the token that it has. */
  function isFinal({ code, status, facts }: Partial<SallyportError>): boolean {
    // The key is gone. A bound session does not go on without it.
    if (code === 'INVALID_DPOP_PROOF') return key.certain()
    // Without a factor nothing is opened, and nothing has ended either: back where it was, the session goes on.
    return status === 401
      ? /^(REFRESH|SESSION|WRONG)_/.test(code ?? '') && facts?.reason !== 'no_factor'
      : facts?.field === 'refreshToken'
  }

  async function renewUntil(stale: string | undefined, stepUpToken?: string): Promise<Held> {
    try {
      return await persistRenewing(() => tabs.alone(() => renewOnce(stale, stepUpToken)))
    } catch (error) {
      const { code, facts } = error as SallyportError
      if (!demands || code !== 'STEP_UP_REQUIRED' || !facts.stepUpToken) throw error
      // Outside of the lock: a person takes their time.
      await demands.ask(SESSION_RISK, facts, waiting(facts))
      return renewUntil(stale, facts.stepUpToken)
    }
  }

  /**
   * Renews the access token: once for all who wait for it, in this tab and, where it can be arranged, in all of them.
   *
   * @param stale The token that is not to be used any longer.
   */
  function renew(stale: string | undefined): Promise<Held> {
    return (renewing ??= renewUntil(stale).finally(() => {
      renewing = undefined
    }))
  }

  /** Sends what is answered with tokens, with a proof of the key where there is one. */
  async function proven<Name extends Entrance | 'refresh'>(
    operation: Name,
    input: Operations[Name]['input'],
  ): Promise<Operations[Name]['output']> {
    const begins = operation !== 'refresh'
    const htu = (options.publicUrl ?? baseUrl) + basePath + /\/.*/.exec(OPERATIONS[operation])
    for (let tries = 1; ; tries++) {
      const proof = begins && !bindKey ? undefined : await key.prove(htu, begins)
      try {
        return await send(operation, input, { proof })
      } catch (error) {
        // A nonce is asked for, the clock was off, or the network has sent the same twice: a new proof is good.
        if (!proof || tries > 2 || (error as SallyportError).code !== 'INVALID_DPOP_PROOF') throw error
      }
    }
  }

  function show(): void {
    const { me } = acting ?? own ?? {}
    // Renewed, it turned out to be another's: the app's own sign-in has begun a session beside this client.
    if (!me && state.status === 'signed-in') later(session)
    become(me ?? { status: 'unknown' })
  }

  function later(work: () => Promise<unknown>): void {
    platform.setTimeout(() => void work().catch(() => 0), 0)
  }

  function become(next: AuthState): void {
    if (JSON.stringify(next) === JSON.stringify(state)) return
    state = next
    for (const listener of [...listeners]) listener()
  }

  function adopt(held: Held, me?: SignedInState, isHeard?: boolean): Held {
    const before = own?.held.sid === held.sid ? own : undefined
    if (own && !before) demands?.drop(signedOut())
    own = { held: before && before.held.gen > held.gen ? before.held : held, me: me ?? before?.me }
    demands?.meet(SESSION_RISK)
    show()
    if (isHeard) heard = held
    else {
      landed = held
      tabs.tell({ held, me: own.me })
    }
    if (
      inCookie &&
      landed?.sid === heard?.sid &&
      landed?.gen !== heard?.gen &&
      landed!.sentAt < heard!.doneAt &&
      heard!.sentAt < landed!.doneAt
    ) {
      // Two answers crossed, and the browser may have kept the older cookie, which would look like a stolen one at its next use. Asked
      // again at once, the service takes it for the race that it was.
      landed = heard = undefined
      later(() => renew(own?.held.token))
    }
    return own.held
  }

  function hear(message: Message): void {
    const current = own?.held.sid
    if ('out' in message) {
      if (message.out === current) end(message.reason, true)
      return
    }
    const { held, me } = message
    // Of another session only who says whose it is.
    if (me || held.sid === current) adopt(held, me, true)
  }

  function end(reason: ErrorCode, isHeard?: boolean): void {
    const { status } = state
    const sid = own?.held.sid
    own = acting = undefined
    demands?.drop(signedOut())
    if (status === 'signed-out') return
    // On a page that has just been loaded and finds nobody, nobody was signed out.
    const was = sid || reason !== 'SIGNED_OUT'
    become(was ? { status: 'signed-out', reason } : { status: 'signed-out' })
    if (sid && !isHeard) tabs.tell({ out: sid, reason })
    if (was) onSignedOut?.({ reason })
  }

  async function usable(): Promise<Held> {
    if (acting) return acting.held
    if (state.status === 'signed-out') throw signedOut()
    const held = own?.held
    if (held && held.dueAt > now()) return held
    const next = await renew(held?.token).catch((error: SallyportError) => {
      // It was only ahead of time.
      if (held && held === own?.held && held.endsAt > now() && error.transient) return held
      throw error
    })
    // What one person began, nobody else finishes.
    if (held && held.sid !== next.sid) throw signedOut()
    return next
  }

  /** Makes an attempt with the token, and once more each where it was renewed and where a step-up was passed. */
  async function authorised<T>(attempt: (held: Held) => Promise<T>, mended: readonly number[] = []): Promise<T> {
    const held = await usable()
    try {
      return await attempt(held)
    } catch (error) {
      const { code, facts, status } = error as SallyportError
      if (mended.includes(status)) throw error
      if (status === 401 && code !== 'INVALID_CREDENTIALS') {
        if (held === acting?.held) {
          acting = undefined
          show()
          throw error
        }
        if (held === own?.held) {
          await renew(held.token)
          mended = [...mended, 401]
        }
      } else if (code === 'STEP_UP_REQUIRED' && demands) {
        if (facts.purpose === SESSION_RISK) await renew(held.token)
        else await demands.ask(facts.purpose, facts, stepsOf(facts, authorised))
        mended = [...mended, 428]
      } else throw error
      if ((await usable()).sid !== held.sid) throw error
      return authorised(attempt, mended)
    }
  }

  function stepsOf({ purpose = '' }: ProblemFacts, by: typeof authorised<unknown>): Steps {
    const step = (operation: 'verifyStepUp' | 'sendEmailCode' | 'passkeyOptions') => (proof?: object) =>
      by(({ token }) => send(operation, { purpose, ...proof }, { token }))
    return {
      verify: step('verifyStepUp'),
      emailCode: step('sendEmailCode'),
      passkeyOptions: step('passkeyOptions'),
    } as Steps
  }

  /** Of a session or a sign-in that waits: its own token opens nothing but these steps. */
  function waiting(facts: ProblemFacts): Steps {
    return stepsOf(facts, (call) => call({ token: facts.stepUpToken } as Held))
  }

  async function enter(operation: Entrance, input: object): Promise<SignedInState | undefined> {
    const given = { ...input, delivery, deviceFingerprint: await credentials.device() }
    // Alone: a tab that renews the session of before must not have its cookie set over the new one's.
    const land = (ask: () => Promise<Operations[Entrance]['output']>) =>
      tabs.alone(async () => {
        const answer = await ask()
        // It goes on by mail.
        if (!('accessToken' in answer)) return undefined
        await credentials.keep(answer.refreshToken)
        acting = undefined
        const me = shown(answer)
        adopt(hold(answer, now()), me)
        return me
      })
    try {
      return await land(() => proven(operation, given as Operations['login']['input']))
    } catch (error) {
      const { code, facts } = error as SallyportError
      if (!demands || code !== 'STEP_UP_REQUIRED') throw error
      let entered: SignedInState | undefined
      await demands.ask({}, facts, {
        ...waiting(facts),
        async verify(proof) {
          const fields = { ...proof, stepUpToken: facts.stepUpToken as string }
          entered = await land(() => send('loginStepUp', fields))
        },
      })
      return entered
    }
  }

  /** Who a token is of. */
  async function look({ token }: Held): Promise<SignedInState> {
    return shown(await persist(() => send('me', {}, { token })))
  }

  async function resume(): Promise<SignedInState | undefined> {
    try {
      if (!own) await renew(undefined)
      return await authorised(async (held) => {
        const me = await look(held)
        if (held === acting?.held) {
          acting = { held, me }
          show()
        } else if (held.sid === own?.held.sid) adopt(held, me)
        return me
      })
    } catch (error) {
      if (state.status === 'signed-out') return undefined
      throw error
    }
  }

  async function session({
    reload,
  }: {
    readonly reload?: boolean | undefined
  } = {}): Promise<SignedInState | undefined> {
    if (state.status === 'signed-in' && !reload) return state
    return (resuming ??= resume().finally(() => {
      resuming = undefined
    }))
  }

  async function call<Name extends keyof Operations>(
    operation: Name,
    input: Operations[Name]['input'],
    { signal }: CallOptions = {},
  ): Promise<Operations[Name]['output']> {
    const ask = (held?: Held) => send(operation, input, { token: held?.token, signal: signal ?? null })
    // In lower case: nobody need be signed in.
    const answer = await (/^[a-z]/.test(OPERATIONS[operation]) ? ask() : authorised(ask))
    // It has ended every other session, and this one's tokens of before.
    if (operation === 'changePassword') adopt(hold(answer as Operations['changePassword']['output'], now()))
    if ((answer as Partial<Operations['revokeSession']['output']>).currentRevoked) await over('SESSION_REVOKED')
    return answer
  }

  async function over(reason: ErrorCode): Promise<void> {
    await credentials.drop()
    end(reason)
  }

  return {
    signIn: (input) => enter('login', input) as Promise<SignedInState>,
    signUp: (input) => enter('signUp', input),
    acceptInvitation: (input) => enter('acceptInvitation', input) as Promise<SignedInState>,

    async signOut() {
      if (state.status === 'signed-out') return
      await persist(() =>
        tabs.alone(async () => {
          const presented = await credentials.read()
          await send('logout', { ...presented }, { token: own?.held.token })
          await over('SIGNED_OUT')
        }),
      )
    },

    session,

    async fetch(input, init) {
      const request = new Request(
        input instanceof Request ? input : new URL(input, location?.href ?? `${baseUrl}/`),
        init,
      )
      const target = new URL(request.url).origin
      // A token that goes to whatever address a page was made to ask is a token given away.
      if (![location?.origin, origin, ...origins].includes(target)) {
        throw new TypeError(`${target} is none of the origins`)
      }
      return authorised(async ({ token }) => {
        const again = request.clone()
        again.headers.set('authorization', `Bearer ${token}`)
        try {
          // Handed on once more: Node's Request forgets the signal that it was made with.
          const answer = await fetch(again, init?.signal ? { signal: init.signal } : undefined)
          if (answer.status !== 401 && answer.status !== 428) return answer
          throw await refusalOf(answer)
        } catch (cause) {
          throw failure(cause, init?.signal ?? request.signal)
        }
      })
    },

    api: Object.fromEntries(
      (Object.keys(OPERATIONS) as (keyof Operations)[]).map((operation) => [
        operation,
        (input: never, options: CallOptions) => call(operation, input, options),
      ]),
    ) as unknown as Api,

    async impersonate(input, options) {
      const held = hold(await call('startImpersonation', input, options), now())
      acting = { held, me: await look(held) }
      show()
      return acting.me
    },

    async exitImpersonation() {
      const left = acting
      if (left) {
        // Without cookies: the own session goes on with the tokens that this tab has, and is not renewed by the way.
        const how = { token: left.held.token, credentials: 'omit' } as const
        await persist(() => send('exitImpersonation', {}, how)).catch((error: SallyportError) => {
          // By time, or with what it rested on: over it is.
          if (error.status !== 401) throw error
        })
        if (acting === left) acting = undefined
        if (own) show()
      }
      return session()
    },

    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    close() {
      closed = new SallyportError('CLOSED', 'closed')
      demands?.drop(closed, true)
      tabs.close()
      listeners.clear()
    },
  }
}

/** Field by field: the tokens that come with some of it are nobody's to see. */
function shown({
  user,
  tenant,
  staff,
  session,
  impersonation = null,
}: Partial<Pick<SignedInState, 'impersonation'>> & Identity): SignedInState {
  return { status: 'signed-in', user, tenant, staff, session, impersonation }
}

/** The purpose of the demand of a session that waits. */
const SESSION_RISK = 'session_risk'

function signedOut(): SallyportError {
  return new SallyportError('SIGNED_OUT', 'not signed in')
}
