/**
 * Asking for a link that sets a new password.
 *
 * @module
 */

import { useAction, useFieldErrors, useSallyport } from '@sallyport/react'
import { Button, Callout, TextField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link, useLocation } from 'react-router'
import { emailOf, withEmail } from '../../parts/next-page.ts'
import { GuestCard, GuestForm } from './guest-card.tsx'
import { MailSent } from './mail-sent.tsx'

export function Page(): ReactNode {
  const { client } = useSallyport()
  const { state } = useLocation()
  const [email, setEmail] = useState(() => emailOf(state))
  const [mailed, setMailed] = useState(false)
  const ask = useAction(() => client.api.requestPasswordReset({ email: email.trim() }))
  const errors = useFieldErrors(ask, ['email'])
  if (mailed) return <MailSent email={email} text="It holds a link that sets a new password, good for one hour." />
  const submit = async (): Promise<void> => {
    if ((await ask.run()).ok) setMailed(true)
  }
  return (
    <GuestCard
      title="Forgotten your password?"
      text="We send you a link that sets a new one. Your second factors stay as they are."
      foot={
        <Link to="/sign-in" state={withEmail(state, email)}>
          Back to sign-in
        </Link>
      }
    >
      <GuestForm onSubmit={() => void submit()}>
        <TextField
          label="Email"
          type="email"
          name="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={email}
          error={errors.of('email')}
          onChange={(event) => {
            setEmail(event.target.value)
            errors.clear('email')
          }}
        />
        {errors.form !== undefined && (
          <Callout tone="danger" role="alert">
            {errors.form}
          </Callout>
        )}
        <Button type="submit" variant="primary" wide busy={ask.busy} disabled={email.trim() === ''}>
          Send the link
        </Button>
      </GuestForm>
    </GuestCard>
  )
}
