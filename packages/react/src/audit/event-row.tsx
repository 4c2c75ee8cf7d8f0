/**
 * One event of the audit log, and all that is known of it.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import { BadgeCheck, ChevronRight, CircleCheck, CircleX, Hourglass } from 'lucide-react'
import type { ReactNode } from 'react'
import { useId } from 'react'
import { useLocale, useMessages } from '../context.ts'
import { placeName } from '../format/describe.ts'
import { Time } from '../format/time.tsx'
import { wordFor } from '../messages/messages.ts'
import { Badge } from '../ui/surface.tsx'
import { EventDetails } from './event-details.tsx'

export interface EventRowProps {
  readonly event: AuditEvent
  readonly open: boolean
  readonly onToggle: () => void
  readonly onRelated: (correlationId: string) => void
}

export function EventRow({ event, open, onToggle, onRelated }: EventRowProps): ReactNode {
  const { audit: texts, refusals } = useMessages()
  const locale = useLocale()
  const details = useId()
  const place = placeName(event, locale)
  const Outcome = event.outcome === 'SUCCESS' ? CircleCheck : CircleX
  const name = wordFor(texts.actions, event.action)
  return (
    <>
      <tr className="sp-event" data-open={open || undefined} data-outcome={event.outcome} onClick={onToggle}>
        <td>
          <span className="sp-event-name">
            <button
              type="button"
              className="sp-event-toggle"
              aria-expanded={open}
              aria-controls={open ? details : undefined}
              aria-label={texts.details(name)}
              onClick={(click) => {
                click.stopPropagation()
                onToggle()
              }}
            >
              <ChevronRight size={14} aria-hidden="true" />
            </button>
            <Outcome
              size={15}
              className="sp-event-outcome"
              role="img"
              aria-label={event.outcome === 'SUCCESS' ? texts.success : texts.fail}
            />
            <span className="sp-event-words">
              <span className="sp-strong">{name}</span>
              {event.failureReason !== null && event.failureReason !== event.action && (
                <Badge tone="danger">{wordFor(refusals, event.failureReason)}</Badge>
              )}
              <span className="sp-event-more sp-faint">
                <Who event={event} />, <Time value={event.createdAt} />
              </span>
            </span>
          </span>
        </td>
        <td className="sp-col-who">
          <Who event={event} />
        </td>
        <td className="sp-col-where sp-faint">
          {place !== undefined && <span>{place}</span>}
          <span className="sp-num sp-break">{event.ipAddress}</span>
        </td>
        <td className="sp-col-when sp-faint">
          <Time value={event.createdAt} />
        </td>
        <td className="sp-col-seal">
          {event.seal === null ? (
            <span title={texts.sealWaits}>
              <Hourglass size={15} className="sp-faint" role="img" aria-label={texts.sealWaits} />
            </span>
          ) : (
            <span title={texts.sealed(event.seal.seq)}>
              <BadgeCheck size={16} className="sp-sealed" role="img" aria-label={texts.sealed(event.seal.seq)} />
            </span>
          )}
        </td>
      </tr>
      {open && (
        <tr className="sp-event-details" id={details}>
          <td colSpan={5}>
            <EventDetails event={event} onRelated={onRelated} />
          </td>
        </tr>
      )}
    </>
  )
}

/** Under impersonation both: who did it, and whose name it was done in. */
function Who({ event }: { readonly event: AuditEvent }): ReactNode {
  const { audit: texts } = useMessages()
  const name = event.actorName ?? (event.userId === null ? actorOf(event, texts) : texts.unnamed)
  if (!event.isImpersonating) return <span>{name}</span>
  return (
    <span>
      {event.realUserName ?? texts.unnamed} <Badge tone="warn">{texts.actingAs(name)}</Badge>
    </span>
  )
}

/** Commands and jobs say who they are in the context. */
function actorOf({ metadata }: AuditEvent, texts: { readonly system: string; readonly stranger: string }): string {
  const actor = metadata?.['actor']
  if (typeof actor === 'string') return actor
  return actor === undefined ? texts.stranger : texts.system
}
