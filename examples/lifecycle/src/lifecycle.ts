/**
 * A session's whole life, told against a running service: sign-up, two devices, refreshes, a lost response, two tabs racing,
 * a thief, containment, listing, revoking, a forced logout. Exits with 1 when any step does not go as told.
 *
 *     npm start                         # in one terminal
 *     npm start -w examples/lifecycle   # in another
 *
 * Set SALLYPORT_URL where the service listens elsewhere than on http://127.0.0.1:8080.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { Answer, Device } from './api.ts'
import { call } from './api.ts'
import { totp } from './totp.ts'

const base = (process.env['SALLYPORT_URL'] ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
const run = randomBytes(4).toString('hex')
const password = `four walls and a window ${run}`
const ada = `ada-${run}@example.com`
const bob = `bob-${run}@example.com`

const LAPTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

function chapter(title: string): void {
  console.log(`\n${title}`)
}

/** One sentence of the story. It goes as told, or the story ends here. */
function tell(sentence: string, asTold: boolean, answer?: Answer): void {
  if (asTold) {
    console.log(`  ✓ ${sentence}`)
    return
  }
  console.error(`  ✗ ${sentence}`)
  if (answer !== undefined) console.error(`    but the answer was ${answer.status} ${JSON.stringify(answer.body)}`)
  process.exit(1)
}

function device(name: string, userAgent: string, { body }: Answer): Device {
  return { name, userAgent, accessToken: body.accessToken, refreshToken: body.refreshToken }
}

async function signIn(name: string, userAgent: string, email: string, secret?: string): Promise<Device> {
  let answer = await call(base, '/api/auth/login', { body: { email, password }, device: { userAgent } })
  if (answer.status === 428 && secret !== undefined) {
    answer = await call(base, '/api/auth/login/step-up', {
      body: { stepUpToken: answer.body.stepUpToken, factor: 'recovery_code', code: secret },
      device: { userAgent },
    })
  }
  tell(`${email} signs in on the ${name}`, answer.status === 200, answer)
  return device(name, userAgent, answer)
}

/** Sends one refresh. The device keeps what it is given, as a client would. */
async function refresh(who: Device, token = who.refreshToken): Promise<Answer> {
  const answer = await call(base, '/api/auth/refresh', {
    body: { refreshToken: token },
    device: { userAgent: who.userAgent },
  })
  if (answer.status === 200) {
    who.accessToken = answer.body.accessToken
    who.refreshToken = answer.body.refreshToken
  }
  return answer
}

const me = (who: Device): Promise<Answer> => call(base, '/api/auth/me', { device: who })

async function stepUp(who: Device, purpose: string, factor: 'totp' | 'recovery_code', code: string): Promise<void> {
  const answer = await call(base, '/api/security/step-up/verify', { body: { purpose, factor, code }, device: who })
  tell(`a ${factor === 'totp' ? 'code of the app' : 'recovery code'} opens "${purpose}"`, answer.status === 200, answer)
}

console.log(`A session's life at ${base}`)

chapter('Ada signs up, and works on two devices')
const signUp = await call(base, '/api/auth/sign-up', {
  body: { email: ada, password, name: 'Ada', tenantName: `Ada and sons ${run}` },
  device: { userAgent: LAPTOP },
})
tell('sign-up answers 201 with a session and its tokens', signUp.status === 201, signUp)
const laptop = device('laptop', LAPTOP, signUp)
const phone = await signIn('phone', PHONE, ada)
let answer = await me(laptop)
tell('she is the owner of her tenant', answer.body.staff?.role === 'owner', answer)

chapter('Tokens rotate on every use')
for (const round of [1, 2, 3]) {
  const before = laptop.refreshToken
  answer = await refresh(laptop)
  tell(`refresh ${round} answers a new token`, answer.status === 200 && laptop.refreshToken !== before, answer)
}

chapter('A response gets lost: the same token is sent again')
const sent = laptop.refreshToken
const lost = await call(base, '/api/auth/refresh', { body: { refreshToken: sent } })
answer = await refresh(laptop, sent)
tell('the retry gets the very same successor', answer.body.refreshToken === lost.body.refreshToken, answer)
tell(
  `and says so: "${answer.headers.get('sallyport-refresh')}"`,
  answer.headers.get('sallyport-refresh')?.startsWith('replayed') === true,
)

chapter('Two tabs race with one token')
const raced = laptop.refreshToken
const [left, right] = await Promise.all([refresh(laptop, raced), refresh(laptop, raced)])
tell('both are answered 200', left.status === 200 && right.status === 200, left.status === 200 ? right : left)
tell('with one successor between them', left.body.refreshToken === right.body.refreshToken)

chapter('She looks at her sessions, and ends the one on the phone')
answer = await call(base, '/api/security/sessions', { device: laptop })
tell('the list shows two, the current one marked', answer.body.sessions?.length === 2, answer)
for (const session of answer.body.sessions) {
  console.log(`      ${session.device.browser} on ${session.device.os}${session.isCurrent ? ' (current)' : ''}`)
}
const other = answer.body.sessions.find((session: { isCurrent: boolean }) => !session.isCurrent)
const revokePath = `/api/security/sessions/${other.id}/revoke`
answer = await call(base, revokePath, { body: {}, device: laptop })
tell(
  'ending one asks for a second factor first: 428',
  answer.status === 428 && answer.error === 'STEP_UP_REQUIRED',
  answer,
)
answer = await call(base, '/api/security/mfa/totp', { body: { password }, device: laptop })
tell('she scans a QR code with her authenticator app', answer.status < 300 && /<svg/.test(answer.body.qrSvg), answer)
const secret: string = answer.body.secret
// The code before the present one confirms, so that the present one is still good for the step-up: each is accepted once.
answer = await call(base, '/api/security/mfa/totp/confirm', {
  body: { factorId: answer.body.factorId, code: totp(secret, 1) },
  device: laptop,
})
tell('confirms it, and gets ten recovery codes', answer.body.recoveryCodes?.length === 10, answer)
const recoveryCodes: string[] = answer.body.recoveryCodes
await stepUp(laptop, 'revoke_session', 'totp', totp(secret))
answer = await call(base, revokePath, { body: {}, device: laptop })
tell('the same request now ends the session', answer.status === 200 && answer.body.currentRevoked === false, answer)
answer = await me(phone)
tell('the phone is refused at its next call, though its token is young', answer.error === 'SESSION_REVOKED', answer)
answer = await refresh(phone)
tell('and its refresh token is dead too', answer.error === 'REFRESH_TOKEN_REVOKED', answer)

chapter('A thief copies a refresh token')
const tablet = await signIn('tablet', PHONE, ada, recoveryCodes.pop())
const stolen = tablet.refreshToken
await refresh(tablet)
await refresh(tablet)
tell('the tablet goes on refreshing, and leaves the stolen token behind', tablet.refreshToken !== stolen)
await new Promise((resolve) => setTimeout(resolve, Number(process.env['SALLYPORT_OVERLAP_MS'] ?? 10_000) + 500))
answer = await call(base, '/api/auth/refresh', { body: { refreshToken: stolen }, device: { userAgent: 'thief/0.1' } })
tell('the thief is told REFRESH_TOKEN_REUSED', answer.status === 401 && answer.error === 'REFRESH_TOKEN_REUSED', answer)
for (const who of [tablet, laptop]) {
  answer = await me(who)
  tell(`the ${who.name} is out at its next call: ${answer.error}`, answer.status === 401, answer)
}
answer = await refresh(tablet)
tell("the tablet's newest refresh token died with the family", answer.error === 'REFRESH_TOKEN_REVOKED', answer)
answer = await call(base, '/api/auth/refresh', { body: { refreshToken: stolen } })
tell('sending the stolen token again hurts nobody', answer.error === 'REFRESH_TOKEN_REVOKED', answer)

chapter('Ada signs in again, and Bob joins the team')
const desk = await signIn('desk', LAPTOP, ada, recoveryCodes.pop())
await stepUp(desk, 'team_change', 'recovery_code', recoveryCodes.pop() ?? '')
answer = await call(base, '/api/team/invitations', { body: { email: bob, name: 'Bob', role: 'member' }, device: desk })
tell('she invites him', answer.status === 201, answer)
answer = await call(base, `/api/dev/outbox?to=${encodeURIComponent(bob)}`)
const invitation = answer.body.messages?.at(-1)
tell('the invitation is in the development outbox', invitation?.kind === 'invitation', answer)
answer = await call(base, '/api/auth/invitations/accept', {
  body: { token: invitation.token, name: 'Bob', password },
  device: { userAgent: PHONE },
})
tell('he accepts it and is signed in', answer.status === 201, answer)
const bobsPhone = device('phone', PHONE, answer)
const bobId: string = answer.body.user.id
const bobsLaptop = await signIn('laptop', LAPTOP, bob)
answer = await call(base, '/api/auth/invitations/accept', { body: { token: invitation.token, name: 'Bob', password } })
tell('the invitation works once', answer.error === 'LINK_INVALID', answer)

chapter('Ada forces Bob out')
answer = await call(base, `/api/security/force-logout/${bobId}`, { body: {}, device: bobsLaptop })
tell('Bob himself may not: 403', answer.status === 403, answer)
await stepUp(desk, 'force_logout', 'recovery_code', recoveryCodes.pop() ?? '')
answer = await call(base, `/api/security/force-logout/${bobId}`, { body: {}, device: desk })
tell('Ada may: both of his sessions end', answer.status === 200 && answer.body.sessionsEnded === 2, answer)
for (const who of [bobsPhone, bobsLaptop]) {
  answer = await me(who)
  tell(`his ${who.name} is refused: ${answer.error}`, answer.error === 'SESSION_INVALIDATED', answer)
  answer = await refresh(who)
  tell(`and cannot refresh: ${answer.error}`, answer.status === 401, answer)
}

chapter('Ada signs out')
answer = await call(base, '/api/auth/logout', { body: {}, device: desk })
tell('logout answers ok', answer.status === 200 && answer.body.ok === true, answer)
answer = await me(desk)
tell('her access token died with the session', answer.status === 401, answer)
answer = await call(base, '/api/auth/logout', { body: {}, device: desk })
tell('signing out again is no error', answer.status === 200, answer)

console.log('\nEverything went as told.')
