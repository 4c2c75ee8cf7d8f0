/**
 * A page of a link, without the link's token.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { GuestCard } from './guest-card.tsx'

export function LinkMissing({ text }: { readonly text?: ReactNode }): ReactNode {
  return (
    <GuestCard title="This link does not work" foot={<Link to="/sign-in">To sign-in</Link>}>
      <p className="text-sm text-soft">
        {text ?? 'Links work once, and for a while. Open the newest mail and follow the link in it, whole.'}
      </p>
    </GuestCard>
  )
}
