/**
 * Hands a mail to the mailer after the change that it tells of has been committed.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { Mail, Mailer } from './mailer.ts'

const underway = new WeakMap<Mailer, Set<Promise<void>>>()

/**
 * Sends without being waited for: how long a mail server takes must not tell who has an account, and a failure must not
 * undo, or seem to undo, what was committed. It is logged by kind and code: mail servers repeat addresses in what they say.
 */
export function sendMail({ mailer, log }: Pick<Engine, 'mailer' | 'log'>, mail: Mail): void {
  const sending = deliver(mailer, mail).catch((error: unknown) => {
    const { name, code } = error as { readonly name?: unknown; readonly code?: unknown }
    log.error({ kind: mail.kind, error: name, code }, 'a mail could not be sent')
  })
  const pending = underway.get(mailer) ?? new Set()
  underway.set(mailer, pending)
  pending.add(sending)
  void sending.finally(() => pending.delete(sending))
}

/** Resolves when every mail that was handed over until now has been sent or given up: for a shutdown that loses none. */
export async function mailsSettled({ mailer }: Pick<Engine, 'mailer'>): Promise<void> {
  await Promise.all([...(underway.get(mailer) ?? [])])
}

// A mailer that throws instead of rejecting must not break the operation either.
async function deliver(mailer: Mailer, mail: Mail): Promise<void> {
  await mailer.send(mail)
}
