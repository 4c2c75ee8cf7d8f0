/**
 * What happens in the demo's past: the days of a team, and what goes wrong on some of them.
 *
 * @module
 */

import type { Caller } from 'sallyport'
import { CommandError } from '../cli/report.ts'
import { GUESSER, NINA_ABROAD, STRANGER, THIEF } from './cast.ts'
import type { Player } from './player.ts'
import type { World } from './world.ts'

/** How long the story is. */
export const DAYS = 23
/** The last thing that happens is this long ago: whoever signs in now is no rapid one after many. */
const QUIET_MS = 20 * 60_000

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Team = Readonly<Record<'olive' | 'ada' | 'ravi' | 'audrey' | 'mel' | 'nina' | 'sam' | 'kofi' | 'dora', Player>>

interface Scene {
  readonly at: number
  readonly play: () => Promise<unknown>
}

/** Plays it from the day after the team is there until a while before `until`. */
export async function playStory(world: World, team: Team, until: Date): Promise<void> {
  const { tenantId } = team.olive
  const scenes = [...routine(team, until), ...troubles(world, team, until), ...nights(world, tenantId, until)]
  const last = until.getTime() - QUIET_MS
  for (const { at, play } of scenes.filter((scene) => scene.at <= last).sort((a, b) => a.at - b.at)) {
    await world.at(new Date(at))
    await play()
  }
  await world.seal(tenantId)
}

/** A moment of the day that many days ago, in UTC. */
export function moment(until: Date, daysAgo: number, time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  const midnight = Math.floor(until.getTime() / DAY) * DAY
  return midnight - daysAgo * DAY + hour * HOUR + minute * MINUTE
}

/**
 * Working days at the desk, and phones in the evening. Each visit costs the start of the service some milliseconds, and each
 * password some dozens: the days of the last week are full, those before as full as makes them look like days.
 */
function routine(team: Team, until: Date): readonly Scene[] {
  const scenes: Scene[] = []
  const chance = dice()
  for (let day = DAYS - 3; day >= 0; day--) {
    const weekday = new Date(moment(until, day, '12:00')).getUTCDay()
    const isWorking = weekday >= 1 && weekday <= 5
    const isRecent = day <= 8
    for (const player of Object.values(team)) {
      const at = (time: string, play: () => Promise<unknown>) =>
        scenes.push({ at: moment(until, day, time) + Math.floor(chance() * 50) * MINUTE, play })
      const { character, phone } = player
      if (isWorking && !isAway(player, day)) {
        // Every other day is often enough for a session to live on.
        if (isRecent || weekday % 2 === 1) {
          at('08:10', async () => {
            if (!player.isSignedIn() && weekday === 2) await player.mistype()
            await player.visit()
          })
        }
        // On Fridays too, or the weekend is longer than a session lasts unused.
        if (weekday === 5 || (isRecent && chance() < 0.5)) at('13:20', () => player.visit())
        if (character.signsOut === true && (isRecent || weekday === 5)) at('17:10', () => player.leave())
      }
      if (phone !== undefined && !isLost(player, day) && day % 2 === 0) at('19:05', () => player.visit(phone))
    }
  }
  return scenes
}

/** Dora leaves; Nina travels; Sam's day of the theft is told elsewhere. */
function isAway({ character }: Player, day: number): boolean {
  if (character.key === 'dora') return day <= 12
  if (character.key === 'nina') return day === 8
  if (character.key === 'sam') return day === 3
  if (character.key === 'kofi') return day === 6
  return false
}

/** Mel loses the phone. */
function isLost({ character }: Player, day: number): boolean {
  return character.key === 'mel' && day < 14
}

function troubles(world: World, team: Team, until: Date): readonly Scene[] {
  const { olive, ada, ravi, audrey, mel, nina, sam, kofi, dora } = team
  const at = (day: number, time: string, play: () => Promise<unknown>): Scene => ({
    at: moment(until, day, time),
    play,
  })
  let scanners = ''
  let mistaken = ''
  let withdrawn = ''
  return [
    at(20, '02:40', async () => {
      for (let guess = 0; guess < 3; guess++) for (const victim of [ada, kofi]) await victim.mistype(GUESSER)
    }),
    at(20, '09:30', async () => {
      await ada.visit()
      const rule = { type: 'DENY', cidr: '203.0.113.128/26', label: 'Guessed passwords in the night' }
      const { rule: made } = await ada.act('ip_rule_change', { path: '/security/ip-rules', body: rule })
      scanners = (made as { readonly id: string }).id
    }),
    // From there nobody gets as far as a password any more.
    at(19, '02:45', () => mel.turnedAway(GUESSER, 'IP_BLOCKED')),
    at(19, '10:00', async () => {
      await olive.visit()
      await olive.act('security_settings', {
        method: 'PATCH',
        path: '/security/settings',
        body: { impersonation: { notify: true } },
      })
    }),
    at(18, '15:00', async () => {
      await ada.visit()
      await ada.act('team_change', {
        method: 'PATCH',
        path: `/team/${mel.staffId}`,
        body: { permissions: ['SETTINGS_TEAM_VIEW'] },
      })
    }),
    at(17, '16:00', async () => {
      await ravi.visit()
      const rule = { type: 'DENY', cidr: '192.0.2.0/24', label: 'By mistake' }
      const { rule: made } = await ravi.act('ip_rule_change', { path: '/security/ip-rules', body: rule })
      mistaken = (made as { readonly id: string }).id
    }),
    at(17, '16:10', () =>
      ravi.act('ip_rule_change', { method: 'DELETE', path: `/security/ip-rules/${mistaken}`, body: {} }),
    ),
    at(16, '03:30', async () => {
      // Only the office, while the payroll is moved: over before anybody gets up.
      await olive.visit()
      const rule = {
        type: 'ALLOW',
        cidr: '198.51.100.0/24',
        label: 'Office only, during the move',
        expiresAt: new Date(moment(until, 16, '05:30')).toISOString(),
      }
      await olive.act('ip_rule_change', { path: '/security/ip-rules', body: rule })
    }),
    at(14, '21:30', async () => {
      // The phone is gone: it is ended from the laptop.
      await mel.signIn()
      const { sessionId } = mel.tokens(mel.phone)
      await mel.act('revoke_session', { path: `/security/sessions/${sessionId}/revoke` })
      mel.forget(mel.phone)
      await mel.signOut()
    }),
    at(13, '11:00', async () => {
      await ada.visit()
      await ada.misstep('ip_rule_change')
      await ada.act('ip_rule_change', {
        method: 'PATCH',
        path: `/security/ip-rules/${scanners}`,
        body: { label: 'Password guessing, seen twice' },
      })
    }),
    at(12, '17:40', async () => {
      await ada.visit()
      await ada.act('team_change', { method: 'PATCH', path: `/team/${dora.staffId}`, body: { disabled: true } })
      dora.forgetAll()
    }),
    at(11, '18:30', async () => {
      await nina.visit()
      await nina.act('revoke_other_sessions', { path: '/security/sessions/revoke-others' })
    }),
    at(9, '14:05', () => impersonate(world, ada, mel, 'Ticket 4711: Mel cannot see the invoice of October')),
    // Away, and with another browser: the session is good for nothing until she has shown that it is her.
    at(8, '10:15', () => nina.refresh(nina.desk, NINA_ABROAD)),
    at(8, '16:00', () => nina.visit()),
    at(7, '09:50', async () => {
      await ravi.signIn()
      await ravi.useRecoveryCode('team_change')
    }),
    at(6, '08:20', () => kofi.visit()),
    at(6, '09:05', () => kofi.turnedAway(STRANGER, 'SESSION_BLOCKED')),
    at(6, '09:25', async () => {
      await ada.visit()
      await ada.act('force_logout', { path: `/security/force-logout/${kofi.userId}` })
      kofi.forgetAll()
    }),
    at(6, '09:40', async () => {
      await kofi.resetPassword()
      await kofi.signIn()
      await kofi.enrolTotp()
    }),
    at(5, '10:30', async () => {
      await ada.visit()
      await ada.act('security_settings', { path: '/security/mfa/recovery-codes' })
    }),
    at(4, '15:15', async () => {
      await ravi.visit()
      await ravi.act('impersonate', {
        path: `/security/impersonate/${nina.staffId}`,
        body: { reason: 'Ticket 4802: the export of Nina stays empty' },
      })
    }),
    // With the session behind it ends what was done in its name.
    at(4, '15:32', () => ravi.signOut()),
    ...theft(world, sam, until),
    at(2, '11:00', () => audrey.visit()),
    at(2, '11:05', () => audrey.act('data_export', { method: 'GET', path: '/compliance/export/audit-logs.csv' })),
    at(2, '11:12', () => audrey.act('data_export', { method: 'GET', path: '/compliance/export/staff-access.json' })),
    at(1, '09:45', async () => {
      await olive.visit()
      const domain = olive.email.split('@')[1] ?? ''
      const invite = async (mailbox: string, name: string, role: string) =>
        olive.act('team_change', { path: '/team/invitations', body: { email: `${mailbox}@${domain}`, name, role } })
      await invite('tess', 'Tess Trial', 'member')
      await invite('ben', 'Ben Board', 'auditor')
      const { invitation } = await invite('bne', 'Ben Board', 'auditor')
      withdrawn = (invitation as { readonly id: string }).id
    }),
    at(1, '09:50', () =>
      olive.act('team_change', { method: 'DELETE', path: `/team/invitations/${withdrawn}`, body: {} }),
    ),
  ]
}

/**
 * A copy of Sam's refresh token is used before Sam's own program gets to it, from a neighbouring city and under the same name: a
 * score too low to be asked anything. When the program wakes up, its token is spent.
 */
function theft(world: World, sam: Player, until: Date): readonly Scene[] {
  let stolen = ''
  let access = ''
  const at = (time: string, play: () => Promise<unknown>): Scene => ({ at: moment(until, 3, time), play })
  const redeem = async (): Promise<void> => {
    const body = await world.must({ from: THIEF, path: '/auth/refresh', body: { refreshToken: stolen } })
    stolen = String(body['refreshToken'])
    access = String(body['accessToken'])
  }
  const tries = (path: string, body = {}, method: 'GET' | 'POST' = 'POST') =>
    world.call({ from: THIEF, method, path, body, bearer: access })
  return [
    at('08:15', async () => {
      await sam.visit()
      stolen = sam.tokens().refreshToken
    }),
    at('10:40', redeem),
    at('10:42', () => tries('/security/mfa/totp', { password: 'correct horse battery' })),
    at('10:44', () => tries('/compliance/export/audit-logs.csv', {}, 'GET')),
    at('10:47', () => tries('/security/sessions/revoke-others')),
    at('10:52', redeem),
    at('10:55', () => tries('/auth/email', { email: 'sam@mail.example' })),
    // With an access token of its own, from before: it still is the session's.
    at('11:30', () =>
      world.call({ from: sam.desk, path: '/security/sessions/revoke-others', bearer: sam.tokens().accessToken }),
    ),
    at('13:05', async () => {
      const { status, body } = await sam.refresh()
      if (body['error'] !== 'REFRESH_TOKEN_REUSED') {
        throw new CommandError(
          `the demo could not be made: a stolen token was answered ${status} ${String(body['error'])}`,
        )
      }
    }),
    at('13:06', () => world.call({ from: THIEF, path: '/auth/refresh', body: { refreshToken: stolen } })),
    at('13:20', async () => {
      await sam.signIn()
      await sam.changePassword()
    }),
    at('13:28', () => sam.enrolTotp()),
  ]
}

/** An impersonation with something done in it, ended by its exit. The token of one from long ago has expired: the engine is told who calls. */
async function impersonate(world: World, by: Player, of: Player, reason: string): Promise<void> {
  await by.visit()
  const started = await by.act('impersonate', { path: `/security/impersonate/${of.staffId}`, body: { reason } })
  const { guard } = world
  const real = await guard.authenticate(by.tokens().accessToken, { ipAddress: by.desk.address })
  const request = { ipAddress: by.desk.address, userAgent: by.desk.userAgent }
  const caller: Caller = {
    ...real,
    kind: 'impersonation',
    role: 'member',
    permissions: new Set(),
    userId: of.userId as Caller['userId'],
    staffId: of.staffId as Caller['staffId'],
    sessionId: (started['session'] as { readonly id: string }).id as Caller['sessionId'],
    realUserId: real.userId,
    realSessionId: real.sessionId,
    realStaffId: real.staffId,
  }
  await world.pass(3 * MINUTE)
  await guard.audit.record({
    tenantId: of.tenantId,
    action: 'PLAN_CHANGED',
    userId: of.userId,
    actorName: by.character.name,
    staffId: of.staffId,
    sessionId: caller.sessionId,
    realUserId: real.userId,
    resource: 'invoice',
    resourceId: '2026-10-0042',
    oldValue: { visible: false },
    newValue: { visible: true },
    request: { ...request, correlationId: crypto.randomUUID() },
  })
  await world.pass(9 * MINUTE)
  await guard.impersonation.exit(caller, { request })
}

/** What runs by itself, and the seal of the day. */
function nights(world: World, tenantId: string, until: Date): readonly Scene[] {
  return Array.from({ length: DAYS }, (_, day) => ({
    at: moment(until, day, '03:00'),
    play: async () => {
      if (day % 6 === 0) await world.guard.jobs.run('cleanup')
      if (day <= 8 || day % 3 === 0) await world.seal(tenantId)
    },
  }))
}

/** The same throws each time, so that every demo has the same past. */
function dice(): () => number {
  let state = 0x2f6e2b1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
