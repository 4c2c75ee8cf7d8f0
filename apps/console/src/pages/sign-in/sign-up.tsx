/**
 * Signing a tenant up, with oneself as its owner.
 *
 * @module
 */

import { useAction, useFieldErrors, useSallyport, useSession } from '@sallyport/react'
import { Button, Callout, PasswordField, TextField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link, Navigate } from 'react-router'
import { GuestCard, GuestForm } from './guest-card.tsx'
import { MailSent } from './mail-sent.tsx'
import { PASSWORD_HINT } from './password-hint.ts'

export function Page(): ReactNode {
  const { client } = useSallyport()
  const auth = useSession()
  const [form, setForm] = useState({ tenantName: '', name: '', email: '', password: '' })
  const [mailed, setMailed] = useState(false)
  const signUp = useAction(() => client.signUp({ ...form, email: form.email.trim() }))
  const errors = useFieldErrors(signUp, Object.keys(form))
  if (auth.status === 'signed-in') return <Navigate to="/" replace />
  if (mailed) return <MailSent email={form.email} text="It holds a link that confirms your address." />

  const field = (name: keyof typeof form) => ({
    name,
    value: form[name],
    error: errors.of(name),
    onChange: (event: { target: { value: string } }) => {
      setForm({ ...form, [name]: event.target.value })
      errors.clear(name)
    },
  })
  const submit = async (): Promise<void> => {
    const outcome = await signUp.run()
    if (outcome.ok && outcome.value === undefined) setMailed(true)
  }
  return (
    <GuestCard
      title="Sign up"
      text="A tenant of your own, with you as its owner."
      foot={
        <>
          Have an account? <Link to="/sign-in">Sign in</Link>
        </>
      }
    >
      <GuestForm onSubmit={() => void submit()}>
        <TextField label="Name of the tenant" autoComplete="organization" autoFocus {...field('tenantName')} />
        <TextField label="Your name" autoComplete="name" {...field('name')} />
        <TextField
          label="Email"
          type="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          {...field('email')}
        />
        <PasswordField label="Password" hint={PASSWORD_HINT} autoComplete="new-password" {...field('password')} />
        {errors.form !== undefined && (
          <Callout tone="danger" role="alert">
            {errors.form}
          </Callout>
        )}
        <Button
          type="submit"
          variant="primary"
          wide
          busy={signUp.busy}
          disabled={Object.values(form).some((value) => value.trim() === '')}
        >
          Sign up
        </Button>
      </GuestForm>
    </GuestCard>
  )
}
