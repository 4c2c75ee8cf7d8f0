/**
 * Sends the engine's mails over SMTP.
 *
 * @module
 */

import { createTransport } from 'nodemailer'
import type { Mailer } from 'sallyport'

export interface SmtpMailer extends Mailer {
  /** Whether the server answers and takes our credentials. */
  verify(): Promise<void>
  close(): void
}

/**
 * @param url `smtp://` or `smtps://`, with user and password where the server wants them.
 * @param from The sender, such as `Example <security@example.com>`.
 */
export function smtpMailer(url: string, from: string): SmtpMailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    // A mail server that hangs must not hold what waits for it: after these the mail is given up and logged.
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ to, subject, text, html }) {
      // As an object: a string would be parsed, and an address with a comma would become two.
      await transport.sendMail({ from, to: { name: '', address: to }, subject, text, html })
    },
    async verify() {
      await transport.verify()
    },
    close: () => transport.close(),
  }
}
