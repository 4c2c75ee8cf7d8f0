/**
 * The demo's credentials in words.
 *
 * @module
 */

import type { DemoPerson, FoundDemo } from './seed.ts'
import { secondsLeft, totpCode } from './totp.ts'

/** One of each role is shown; the others are in the file. */
const SHOWN = ['owner', 'admin', 'auditor', 'member'] as const

/** Lines for a terminal: whom to sign in as, with the code that their authenticator app would show now. */
export function demoLines({ tenant, people, changed }: FoundDemo, url: string, now: Date = new Date()): string[] {
  const shown = SHOWN.flatMap((role) => people.find((person) => person.role === role) ?? [])
  const width = Math.max(...shown.map(({ email }) => email.length))
  return [
    `Demo tenant "${tenant}": sign in at ${url} as`,
    ...shown.map((person) =>
      [
        `  ${person.role.padEnd(7)}`,
        person.email.padEnd(width),
        changed.includes(person.email) ? '(the password was changed since)' : person.password,
        factorOf(person, now),
      ].join('  '),
    ),
    `The codes are good for ${secondsLeft(now)} s more; for new ones run \`sallyport demo\`, or give the secret to an authenticator app.`,
    `The others of the team are in demo.json beside the database.`,
  ]
}

function factorOf({ totpSecret }: DemoPerson, now: Date): string {
  return totpSecret === undefined ? 'no second factor' : `code ${totpCode(totpSecret, now)}  TOTP ${totpSecret}`
}
