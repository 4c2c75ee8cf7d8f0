/**
 * Setting a new password by the link from a mail.
 *
 * @module
 */

import { useAction, useFieldErrors, useSallyport } from '@sallyport/react'
import { Button, Callout, PasswordField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'react-router'
import { takeLinkToken } from '../../parts/link-token.ts'
import { GuestCard, GuestForm } from './guest-card.tsx'
import { LinkMissing } from './link-missing.tsx'
import { PASSWORD_HINT } from './password-hint.ts'

export function Page(): ReactNode {
  const { client } = useSallyport()
  const [token] = useState(takeLinkToken)
  const [password, setPassword] = useState('')
  const [isSet, setIsSet] = useState(false)
  const reset = useAction(() => client.api.resetPassword({ token: token ?? '', password }))
  const errors = useFieldErrors(reset, ['password'])
  if (token === undefined || reset.error?.code === 'LINK_INVALID') return <LinkMissing />
  if (isSet) {
    return (
      <GuestCard title="Your new password is set">
        <p className="mb-5 text-sm text-soft" role="status">
          All of your sessions were ended. Sign in with it.
        </p>
        <Link to="/sign-in" className="sp-button sp-button-primary sp-button-wide">
          Sign in
        </Link>
      </GuestCard>
    )
  }
  const submit = async (): Promise<void> => {
    if ((await reset.run()).ok) setIsSet(true)
  }
  return (
    <GuestCard title="Set a new password" text="It ends all of your sessions, on every device.">
      <GuestForm onSubmit={() => void submit()}>
        <PasswordField
          label="New password"
          hint={PASSWORD_HINT}
          name="password"
          autoComplete="new-password"
          autoFocus
          value={password}
          error={errors.of('password')}
          onChange={(event) => {
            setPassword(event.target.value)
            errors.clear('password')
          }}
        />
        {errors.form !== undefined && (
          <Callout tone="danger" role="alert">
            {errors.form}
          </Callout>
        )}
        <Button type="submit" variant="primary" wide busy={reset.busy} disabled={password === ''}>
          Set password
        </Button>
      </GuestForm>
    </GuestCard>
  )
}
