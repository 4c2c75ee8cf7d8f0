/**
 * `sallyport keys`
 *
 * @module
 */

import { CommandError, type GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'

/** Lists the signing keys. */
export async function keysList(options: GlobalOptions): Promise<void> {
  const { keys: rows } = await withGuard(await configuration(), options, ({ guard }) => guard.store.keys.list())
  // Sealed as it is, the private part is nobody's to see.
  const keys = rows.map(({ kid, alg, state, createdAt, activatedAt, retiredAt, revokedAt }) => ({
    kid,
    alg,
    state,
    createdAt,
    activatedAt,
    retiredAt,
    revokedAt,
  }))
  const lines = keys.map(({ kid, alg, state, createdAt }) =>
    [kid, alg, state.padEnd('retired'.length), createdAt.toISOString()].join('  '),
  )
  answer(options, { keys }, lines)
}

/** Lets the next key sign. `now`: even where those who cache the key set may not know it yet. */
export async function keysRotate({ now, ...options }: GlobalOptions & { readonly now: boolean }): Promise<void> {
  const outcome = await withGuard(await configuration(), options, ({ guard }) =>
    guard.keys.rotate(now ? { minPublishedMs: 0 } : {}),
  )
  if (outcome.kind === 'not-due') {
    const when = outcome.notBefore.toISOString()
    throw new CommandError(
      `the next key is published too lately for every cache to know it: try again at ${when}, or use --now`,
    )
  }
  if (outcome.kind === 'superseded') throw new CommandError('the keys were changed by somebody else at the same moment')
  answer(options, outcome, [
    `${outcome.active} signs, ${outcome.next} is published to follow, ${outcome.retired} is retired`,
  ])
}

/** Ends a compromised key. */
export async function keysRevoke(kid: string, options: GlobalOptions): Promise<void> {
  const outcome = await withGuard(await configuration(), options, ({ guard }) => guard.keys.revoke(kid))
  if (outcome.kind === 'unknown')
    throw new CommandError(`there is no key ${kid}: \`sallyport keys list\` shows those there are`)
  const done =
    outcome.kind === 'revoked' ? `revoked ${kid}: every node refuses what it signed` : `${kid} was revoked before`
  answer(options, { kid, ...outcome }, [done])
}
