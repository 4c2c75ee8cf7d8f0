/**
 * Says that somebody acts as another, for as long as they do. It cannot be dismissed.
 *
 * @module
 */

import { UserRoundCog } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { Time } from '../format/time.tsx'
import { useErrorText } from '../hooks/errors.ts'
import { useImpersonation } from '../hooks/use-impersonation.ts'
import { Button } from '../ui/button.tsx'

/** Put it at the very top of the page: nothing is rendered while nobody acts as another. */
export function ImpersonationBanner(): ReactNode {
  const { impersonation: texts } = useMessages()
  const text = useErrorText()
  const { current, actingAs, exit } = useImpersonation()
  if (current === undefined || actingAs === undefined) return null
  return (
    <section className="sp-scope sp-banner" aria-label={texts.region}>
      <UserRoundCog size={18} aria-hidden="true" />
      <p className="sp-banner-text">
        {texts.actingAs} <strong>{actingAs.name}</strong>
        <span className="sp-banner-more">
          {texts.until} <Time value={current.expiresAt} />. {texts.recorded}
        </span>
        {exit.error !== undefined && <span role="alert">{text(exit.error)}</span>}
      </p>
      <Button size="sm" busy={exit.busy} onClick={() => void exit.run()}>
        {texts.exit}
      </Button>
    </section>
  )
}
