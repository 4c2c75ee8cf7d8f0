/**
 * All that is known of one event: its facts, what changed, its context, its seal.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { usePlace } from '../format/describe.ts'
import { Time } from '../format/time.tsx'
import { wordFor } from '../messages/messages.ts'
import { Button } from '../ui/button.tsx'
import { SealState } from './seal-state.tsx'

export interface EventDetailsProps {
  readonly event: AuditEvent
  readonly onRelated: (correlationId: string) => void
}

export function EventDetails({ event, onRelated }: EventDetailsProps): ReactNode {
  const { audit: texts } = useMessages()
  return (
    <div className="sp-details">
      <div className="sp-stack">
        <SealState event={event} />
        <Changes before={event.before} after={event.after} />
        <Context metadata={event.metadata} />
      </div>
      <div className="sp-stack-sm">
        <h3 className="sp-label">{texts.facts}</h3>
        <Facts event={event} />
        <div>
          <Button variant="link" size="sm" onClick={() => onRelated(event.correlationId)}>
            {texts.related}
          </Button>
        </div>
      </div>
    </div>
  )
}

function Facts({ event }: { readonly event: AuditEvent }): ReactNode {
  const { audit: texts, refusals } = useMessages()
  const place = usePlace()
  const rows: readonly (readonly [label: string, value: ReactNode, isCode?: boolean])[] = [
    [texts.when, <Time key="when" value={event.createdAt} exact />],
    [texts.who, event.actorName],
    [texts.realUser, event.realUserName ?? event.realUserId],
    [texts.reason, event.failureReason === null ? null : wordFor(refusals, event.failureReason)],
    [texts.resource, event.resource === null ? null : wordFor({}, event.resource)],
    [texts.resourceId, event.resourceId, true],
    [texts.place, event.country === null && event.city === null ? null : place(event)],
    [texts.address, event.ipAddress, true],
    [texts.agent, event.userAgent],
    [texts.session, event.sessionId, true],
    [texts.request, event.correlationId, true],
    [texts.id, event.id, true],
  ]
  return (
    <dl className="sp-definitions">
      {rows
        .filter(([, value]) => value !== null)
        .map(([label, value, isCode = false]) => (
          <Fact key={label} label={label}>
            {isCode ? <span className="sp-mono sp-tiny">{value}</span> : value}
          </Fact>
        ))}
    </dl>
  )
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  )
}

type Values = Readonly<Record<string, unknown>> | null

function Changes({ before, after }: { readonly before: Values; readonly after: Values }): ReactNode {
  const { audit: texts } = useMessages()
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort()
  if (fields.length === 0) return null
  return (
    <div className="sp-stack-sm">
      <h3 className="sp-label">{texts.change}</h3>
      <table className="sp-diff">
        <thead>
          <tr>
            <th scope="col">{texts.field}</th>
            <th scope="col">{texts.before}</th>
            <th scope="col">{texts.after}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field}>
              <th scope="row">{field}</th>
              <td>
                <Value value={before?.[field]} tone="danger" />
              </td>
              <td>
                <Value value={after?.[field]} tone="ok" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Value({ value, tone }: { readonly value: unknown; readonly tone: 'danger' | 'ok' }): ReactNode {
  if (value === undefined) return <span className="sp-faint">–</span>
  return (
    <span className="sp-diff-value sp-mono sp-break" data-tone={tone}>
      {typeof value === 'string' ? value : JSON.stringify(value)}
    </span>
  )
}

function Context({ metadata }: { readonly metadata: Values }): ReactNode {
  const { audit: texts } = useMessages()
  const entries = Object.entries(metadata ?? {})
  if (entries.length === 0) return null
  return (
    <div className="sp-stack-sm">
      <h3 className="sp-label">{texts.context}</h3>
      <dl className="sp-definitions">
        {entries.map(([name, value]) => (
          <Fact key={name} label={name}>
            <span className="sp-mono sp-tiny">{typeof value === 'string' ? value : JSON.stringify(value)}</span>
          </Fact>
        ))}
      </dl>
    </div>
  )
}
