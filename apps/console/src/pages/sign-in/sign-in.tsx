/**
 * Signing in: email and password, the second factor where it is asked for, the tenant where there are several.
 *
 * @module
 */

import { useAction, useFieldErrors, useSallyport, useSession } from '@sallyport/react'
import { Button, Callout, PasswordField, TextField } from '@sallyport/react/ui'
import { Building2, ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link, Navigate, useLocation } from 'react-router'
import { config } from '../../config.ts'
import { emailOf, nextPage, reasonOf, withEmail } from '../../parts/next-page.ts'
import { GuestCard, GuestForm } from './guest-card.tsx'

export function SignIn(): ReactNode {
  const { client } = useSallyport()
  const auth = useSession()
  const { state } = useLocation()
  const [carried] = useState(() => emailOf(state))
  const [email, setEmail] = useState(carried)
  const [password, setPassword] = useState('')
  const signIn = useAction((tenant: string | undefined) =>
    client.signIn({ email: email.trim(), password, ...(tenant === undefined ? {} : { tenant }) }),
  )
  const errors = useFieldErrors(signIn, ['email', 'password'])
  if (auth.status === 'signed-in') return <Navigate to={nextPage(state)} replace />

  const tenants = signIn.error?.code === 'TENANT_REQUIRED' ? signIn.error.facts.tenants : undefined
  if (tenants !== undefined) {
    return (
      <GuestCard title="Choose a tenant" text="You are a member of several. A session belongs to one of them.">
        <ul className="flex flex-col gap-2">
          {tenants.map(({ id, name }) => (
            <li key={id}>
              <button
                type="button"
                disabled={signIn.busy}
                onClick={() => void signIn.run(id)}
                className="flex w-full cursor-pointer items-center gap-3 rounded-lg border border-line-strong bg-surface px-3.5 py-2.5 text-left hover:bg-hover"
              >
                <Building2 size={17} aria-hidden="true" className="text-faint" />
                <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
                <ChevronRight size={16} aria-hidden="true" className="text-faint" />
              </button>
            </li>
          ))}
        </ul>
        <div className="mt-4">
          <Button variant="link" onClick={signIn.reset}>
            Back
          </Button>
        </div>
      </GuestCard>
    )
  }
  return (
    <GuestCard
      title="Sign in"
      foot={
        config.signUp && (
          <>
            No account yet? <Link to="/sign-up">Sign up</Link>
          </>
        )
      }
    >
      <GuestForm onSubmit={() => void signIn.run(undefined)}>
        <Ended reason={auth.status === 'signed-out' ? (auth.reason ?? reasonOf(state)) : undefined} />
        <TextField
          label="Email"
          type="email"
          name="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus={carried === ''}
          value={email}
          error={errors.of('email')}
          onChange={(event) => {
            setEmail(event.target.value)
            errors.clear('email')
          }}
        />
        <PasswordField
          label="Password"
          name="password"
          autoComplete="current-password"
          autoFocus={carried !== ''}
          value={password}
          error={errors.of('password')}
          onChange={(event) => {
            setPassword(event.target.value)
            errors.clear('password')
          }}
        />
        {errors.form !== undefined && (
          <Callout tone="danger" role="alert">
            {signIn.error?.code === 'INVALID_CREDENTIALS' ? 'Email or password is not right.' : errors.form}
          </Callout>
        )}
        <Button
          type="submit"
          variant="primary"
          wide
          busy={signIn.busy}
          disabled={email.trim() === '' || password === ''}
        >
          Sign in
        </Button>
        <div className="text-center text-sm">
          <Link to="/forgot-password" state={withEmail(state, email)}>
            Forgotten your password?
          </Link>
        </div>
      </GuestForm>
    </GuestCard>
  )
}

/** Why somebody who was signed in finds themselves here. */
const ENDED: Readonly<Record<string, string>> = {
  SESSION_REVOKED: 'This session was revoked. Sign in again to go on.',
  SESSION_INVALIDATED: 'You were signed out by an administrator, or your account was changed. Sign in again to go on.',
  SESSION_EXPIRED: 'Your session is over. Sign in again to go on.',
  SESSION_BLOCKED: 'This session was stopped, because something about it was too unusual.',
  REFRESH_TOKEN_REUSED:
    'Your session was used from two places, so it was ended to be safe. If that was not you, change your password.',
  REFRESH_TOKEN_REVOKED: 'This session was ended. Sign in again to go on.',
  REFRESH_TOKEN_EXPIRED: 'Your session is over. Sign in again to go on.',
  REFRESH_TOKEN_INVALID: 'Your session is over. Sign in again to go on.',
}

function Ended({ reason }: { readonly reason: string | undefined }): ReactNode {
  const text = reason === undefined || !Object.hasOwn(ENDED, reason) ? undefined : ENDED[reason]
  if (text === undefined) return null
  const isTheft = reason === 'REFRESH_TOKEN_REUSED' || reason === 'SESSION_BLOCKED'
  return (
    <Callout tone={isTheft ? 'danger' : 'info'} role="status">
      {text}
    </Callout>
  )
}
