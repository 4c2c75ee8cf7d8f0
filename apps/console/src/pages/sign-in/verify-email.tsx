/**
 * Confirming an address by the link from a mail. A press is asked for: mail programs follow links by themselves.
 *
 * @module
 */

import { useAction, useSallyport, useSession } from '@sallyport/react'
import { Button, Callout } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'react-router'
import { takeLinkToken } from '../../parts/link-token.ts'
import { GuestCard, GuestForm } from './guest-card.tsx'
import { LinkMissing } from './link-missing.tsx'

export function Page(): ReactNode {
  const { client } = useSallyport()
  const auth = useSession()
  const [token] = useState(takeLinkToken)
  const [confirmed, setConfirmed] = useState(false)
  const verify = useAction(() => client.api.verifyEmail({ token: token ?? '' }))
  if (token === undefined || verify.error?.code === 'LINK_INVALID') return <LinkMissing />
  if (confirmed) {
    return (
      <GuestCard title="Your address is confirmed">
        <p className="mb-5 text-sm text-soft" role="status">
          Thank you. You can go on.
        </p>
        <Link
          to={auth.status === 'signed-in' ? '/' : '/sign-in'}
          className="sp-button sp-button-primary sp-button-wide"
        >
          {auth.status === 'signed-in' ? 'Go on' : 'Sign in'}
        </Link>
      </GuestCard>
    )
  }
  const submit = async (): Promise<void> => {
    if (!(await verify.run()).ok) return
    setConfirmed(true)
    // The address may be that of whoever is signed in here. That it is shown anew is not worth a failure.
    if (auth.status === 'signed-in') await client.session({ reload: true }).catch(() => undefined)
  }
  return (
    <GuestCard title="Confirm your email address">
      <GuestForm onSubmit={() => void submit()}>
        <p className="text-sm text-soft">This mailbox is yours? Then confirm it. If you did not ask for this, leave.</p>
        {verify.error !== undefined && (
          <Callout tone="danger" role="alert">
            {verify.error.message}
          </Callout>
        )}
        <Button type="submit" variant="primary" wide busy={verify.busy}>
          Confirm the address
        </Button>
      </GuestForm>
    </GuestCard>
  )
}
