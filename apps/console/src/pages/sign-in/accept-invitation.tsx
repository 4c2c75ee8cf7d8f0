/**
 * Joining a tenant by the link of an invitation.
 *
 * @module
 */

import { useAction, useFieldErrors, useMessages, useSallyport, useSession, wordFor } from '@sallyport/react'
import { Button, Callout, Failure, PasswordField, Skeleton, TextField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { Navigate } from 'react-router'
import { takeLinkToken } from '../../parts/link-token.ts'
import { GuestCard, GuestForm } from './guest-card.tsx'
import { LinkMissing } from './link-missing.tsx'
import { PASSWORD_HINT } from './password-hint.ts'

export function Page(): ReactNode {
  const { client } = useSallyport()
  const [token] = useState(takeLinkToken)
  const [joined, setJoined] = useState(false)
  const show = useAction((link: string) => client.api.showInvitation({ token: link }))
  const [invitation, setInvitation] = useState<Shown | undefined>(undefined)
  const { run } = show
  useEffect(() => {
    if (token === undefined) return
    void run(token).then((outcome) => {
      if (outcome.ok) setInvitation(outcome.value)
    })
  }, [token, run])

  if (joined) return <Navigate to="/" replace />
  if (token === undefined || show.error?.code === 'LINK_INVALID') {
    return (
      <LinkMissing text="The invitation was used, withdrawn, or is over. Ask whoever invited you for another one." />
    )
  }
  if (invitation === undefined) {
    return (
      <GuestCard title="You are invited">
        {show.error === undefined ? (
          <div className="flex flex-col gap-4" aria-busy="true">
            <Skeleton height={40} />
            <Skeleton height={58} />
            <Skeleton height={58} />
            <Skeleton height={34} />
          </div>
        ) : (
          <Failure text={show.error.message} busy={show.busy} onRetry={() => void run(token)} />
        )}
      </GuestCard>
    )
  }
  return <Join token={token} invitation={invitation} onJoined={() => setJoined(true)} />
}

type Shown = Awaited<ReturnType<ReturnType<typeof useSallyport>['client']['api']['showInvitation']>>

interface JoinProps {
  readonly token: string
  readonly invitation: Shown
  readonly onJoined: () => void
}

function Join({ token, invitation, onJoined }: JoinProps): ReactNode {
  const { client } = useSallyport()
  const auth = useSession()
  const { roles } = useMessages()
  const [name, setName] = useState(invitation.name)
  const [password, setPassword] = useState('')
  const accept = useAction(() => client.acceptInvitation({ token, name: name.trim(), password }))
  const errors = useFieldErrors(accept, ['name', 'password'])
  if (accept.error?.code === 'LINK_INVALID') return <LinkMissing />
  const submit = async (): Promise<void> => {
    if ((await accept.run()).ok) onJoined()
  }
  const wrongPassword = accept.error?.code === 'INVALID_CREDENTIALS' && invitation.hasAccount
  return (
    <GuestCard
      title={`Join ${invitation.tenant.name}`}
      text={
        <>
          {invitation.invitedBy ?? 'Somebody of the team'} invites you as{' '}
          <strong className="font-semibold text-ink">{wordFor(roles, invitation.role).toLowerCase()}</strong>.
        </>
      }
    >
      <GuestForm onSubmit={() => void submit()}>
        {auth.status === 'signed-in' && auth.user.email !== invitation.email && (
          <Callout tone="warn">
            You are signed in as {auth.user.email}. Joining signs you in as {invitation.email}.
          </Callout>
        )}
        <TextField label="Email" type="email" autoComplete="username" readOnly value={invitation.email} />
        {!invitation.hasAccount && (
          <TextField
            label="Your name"
            name="name"
            autoComplete="name"
            value={name}
            error={errors.of('name')}
            onChange={(event) => {
              setName(event.target.value)
              errors.clear('name')
            }}
          />
        )}
        <PasswordField
          label={invitation.hasAccount ? 'Your password' : 'Choose a password'}
          hint={invitation.hasAccount ? 'You have an account already: its password signs you in.' : PASSWORD_HINT}
          name="password"
          autoComplete={invitation.hasAccount ? 'current-password' : 'new-password'}
          autoFocus
          value={password}
          error={wrongPassword ? 'That is not the password of this account.' : errors.of('password')}
          onChange={(event) => {
            setPassword(event.target.value)
            errors.clear('password')
          }}
        />
        {errors.form !== undefined && !wrongPassword && (
          <Callout tone="danger" role="alert">
            {errors.form}
          </Callout>
        )}
        <Button
          type="submit"
          variant="primary"
          wide
          busy={accept.busy}
          disabled={password === '' || name.trim() === ''}
        >
          Join
        </Button>
      </GuestForm>
    </GuestCard>
  )
}
