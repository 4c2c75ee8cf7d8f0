/**
 * Makes the demo's team: its owner signs up, and everybody else is invited and comes.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { CommandError } from '../cli/report.ts'
import { CAST, type Character, type CharacterKey } from './cast.ts'
import { Player, randomPassword } from './player.ts'
import { DAYS, moment } from './plot.ts'
import type { World } from './world.ts'

export interface Team {
  readonly tenant: string
  readonly tenantId: string
  readonly players: Readonly<Record<CharacterKey, Player>>
}

/** @param until When the story ends; the team is there three weeks before. */
export async function foundTeam(world: World, until: Date): Promise<Team> {
  await world.at(new Date(moment(until, DAYS, '08:30')))
  const { tenant, domain, owner } = await signUp(world)
  const players: Partial<Record<CharacterKey, Player>> = { olive: owner }
  await owner.enrolTotp()
  await owner.stepUp('team_change')
  const [, ...others] = CAST
  const first = others.filter(({ hasTotp }) => hasTotp)
  Object.assign(players, await invite(world, owner, first, domain))
  // Those who come on the next day are the admin's to invite.
  const ada = players.ada as Player
  await world.at(new Date(moment(until, DAYS - 1, '09:00')))
  await ada.visit()
  await ada.stepUp('team_change')
  const rest = others.filter(({ hasTotp }) => !hasTotp)
  Object.assign(players, await invite(world, ada, rest, domain))
  return { tenant, tenantId: owner.tenantId, players: players as Record<CharacterKey, Player> }
}

/** They come all at once: their passwords are hashed side by side. */
async function invite(
  world: World,
  host: Player,
  characters: readonly Character[],
  domain: string,
): Promise<Readonly<Record<string, Player>>> {
  const invited = characters.map((character) => playerOf(world, character, domain))
  for (const { email, character } of invited) {
    const body = { email, name: character.name, role: character.role }
    const { accessToken: bearer } = host.tokens()
    await world.must({ from: host.desk, path: '/team/invitations', body, bearer })
    await world.pass(45_000)
  }
  await world.pass(20 * 60_000)
  await Promise.all(
    invited.map(async (player) => {
      const { character, desk: from, email, password } = player
      const { token } = await world.mailed(email, 'invitation')
      const body = { token, name: character.name, password, deviceFingerprint: from.fingerprint }
      player.begin(from, await world.must({ from, path: '/auth/invitations/accept', body }))
    }),
  )
  for (const player of invited) if (player.character.hasTotp) await player.enrolTotp()
  return Object.fromEntries(invited.map((player) => [player.character.key, player]))
}

async function signUp(
  world: World,
): Promise<{ readonly tenant: string; readonly domain: string; readonly owner: Player }> {
  // The plain address first; another where a demo was made before whose credentials are gone.
  for (const suffix of ['', `-${randomBytes(3).toString('hex')}`]) {
    const domain = `demo${suffix}.example`
    const tenant = `Demo${suffix}`
    const owner = playerOf(world, CAST[0], domain)
    const { email, password, desk } = owner
    const body = { email, password, name: CAST[0].name, tenantName: tenant, deviceFingerprint: desk.fingerprint }
    const answer = await world.call({ from: desk, path: '/auth/sign-up', body })
    if (answer.body['error'] === 'EMAIL_TAKEN') continue
    if (answer.status !== 201) {
      throw new CommandError(
        `the demo could not be made: the sign-up was answered ${answer.status} ${String(answer.body['error'])}`,
      )
    }
    owner.begin(desk, answer.body)
    const { token } = await world.mailed(email, 'email_verification')
    await world.must({ from: desk, path: '/auth/email/verify', body: { token } })
    return { tenant, domain, owner }
  }
  throw new CommandError('the demo could not be made: its addresses are taken')
}

function playerOf(world: World, character: Character, domain: string): Player {
  return new Player(world, character, { email: `${character.mailbox}@${domain}`, password: randomPassword() })
}
