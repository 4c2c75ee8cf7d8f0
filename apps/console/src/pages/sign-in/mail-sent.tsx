/**
 * Says that it goes on by mail, and where mails wait in development.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { Link, useLocation } from 'react-router'
import { config } from '../../config.ts'
import { withEmail } from '../../parts/next-page.ts'
import { GuestCard } from './guest-card.tsx'

export function MailSent({ email, text }: { readonly email: string; readonly text: string }): ReactNode {
  const { state } = useLocation()
  return (
    <GuestCard
      title="Look into your mail"
      foot={
        <Link to="/sign-in" state={withEmail(state, email)}>
          Back to sign-in
        </Link>
      }
    >
      <p className="text-sm text-soft" role="status">
        If <strong className="font-semibold break-all text-ink">{email}</strong> is right, a mail is on its way. {text}
      </p>
      {config.outbox !== null && (
        <p className="mt-4 text-sm text-faint">
          No mail server is configured here: mails wait in the <a href={config.outbox}>development outbox</a>.
        </p>
      )}
    </GuestCard>
  )
}
