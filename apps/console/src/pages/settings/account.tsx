/**
 * One's own security: second factors, password, email address.
 *
 * @module
 */

import { MfaSettings, useAccount, useFieldErrors, useSallyport, useSignedIn } from '@sallyport/react'
import { Badge, Button, Callout, Card, CardBody, PasswordField, TextField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Page as Frame } from '../../parts/page.tsx'
import { PASSWORD_HINT } from '../sign-in/password-hint.ts'

export function Page(): ReactNode {
  return (
    <Frame title="Security settings" description="How you prove that you are you.">
      <MfaSettings />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <PasswordCard />
        <EmailCard />
      </div>
    </Frame>
  )
}

function PasswordCard(): ReactNode {
  const { notify } = useSallyport()
  const { changePassword } = useAccount()
  const { user } = useSignedIn()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const errors = useFieldErrors(changePassword, ['currentPassword', 'newPassword'])
  const wrong = changePassword.error?.code === 'INVALID_CREDENTIALS'
  const submit = async (): Promise<void> => {
    const outcome = await changePassword.run({ currentPassword: current, newPassword: next })
    if (!outcome.ok) return
    setCurrent('')
    setNext('')
    notify('Password changed. Your other sessions were ended.')
  }
  return (
    <Card className="sp-scope" title="Password" description="Changing it ends your other sessions, everywhere.">
      <CardBody>
        <form
          noValidate
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <input type="text" name="username" autoComplete="username" value={user.email ?? ''} readOnly hidden />
          <PasswordField
            label="Current password"
            autoComplete="current-password"
            value={current}
            error={wrong ? 'That is not your password.' : errors.of('currentPassword')}
            onChange={(event) => {
              setCurrent(event.target.value)
              if (wrong) changePassword.reset()
              errors.clear('currentPassword')
            }}
          />
          <PasswordField
            label="New password"
            hint={PASSWORD_HINT}
            autoComplete="new-password"
            value={next}
            error={errors.of('newPassword')}
            onChange={(event) => {
              setNext(event.target.value)
              errors.clear('newPassword')
            }}
          />
          {errors.form !== undefined && !wrong && (
            <Callout tone="danger" role="alert">
              {errors.form}
            </Callout>
          )}
          <div>
            <Button type="submit" busy={changePassword.busy} disabled={current === '' || next === ''}>
              Change password
            </Button>
          </div>
        </form>
      </CardBody>
    </Card>
  )
}

function EmailCard(): ReactNode {
  const { user } = useSignedIn()
  const { changeEmail } = useAccount()
  const [email, setEmail] = useState('')
  const [asked, setAsked] = useState<string | undefined>(undefined)
  const errors = useFieldErrors(changeEmail, ['email'])
  const submit = async (): Promise<void> => {
    const outcome = await changeEmail.run({ email: email.trim() })
    if (!outcome.ok) return
    setAsked(email.trim())
    setEmail('')
  }
  return (
    <Card
      className="sp-scope"
      title="Email"
      description="Where codes and warnings go. Both addresses are told of a change."
    >
      <CardBody>
        <form
          noValidate
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <p className="flex flex-wrap items-center gap-2">
            <span className="font-medium break-all">{user.email}</span>
            {user.emailVerified ? <Badge tone="ok">Confirmed</Badge> : <Badge tone="warn">Not confirmed</Badge>}
          </p>
          <TextField
            label="New address"
            type="email"
            autoComplete="email"
            autoCapitalize="none"
            spellCheck={false}
            value={email}
            error={errors.of('email')}
            onChange={(event) => {
              setEmail(event.target.value)
              errors.clear('email')
            }}
          />
          {asked !== undefined && (
            <Callout tone="ok" role="status">
              A link is on its way to {asked}. Nothing changes before it is followed.
            </Callout>
          )}
          {errors.form !== undefined && (
            <Callout tone="danger" role="alert">
              {errors.form}
            </Callout>
          )}
          <div>
            <Button type="submit" busy={changeEmail.busy} disabled={email.trim() === ''}>
              Change address
            </Button>
          </div>
        </form>
      </CardBody>
    </Card>
  )
}
