/**
 * What was detected and stopped, newest first.
 *
 * @module
 */

import { useIncidents, useMessages, wordFor } from '@sallyport/react'
import { Badge, Card, Empty, LoadFailure, MoreButton, SkeletonItems, Time, usePlace } from '@sallyport/react/ui'
import { ChevronRight, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Page as Frame } from '../../parts/page.tsx'
import { incidentKind } from './incident-kind.ts'

type Incident = ReturnType<typeof useIncidents>['items'][number]

export function Page(): ReactNode {
  const incidents = useIncidents({ every: 30_000 })
  const { items, loading, error } = incidents
  return (
    <Frame
      title="Incidents"
      description="Thefts of tokens and stops of sessions. Whatever is listed here was contained when it was detected."
    >
      <Card className="sp-scope">
        {loading && <SkeletonItems count={5} />}
        {items.length === 0 && <LoadFailure of={incidents} />}
        {!loading && error === undefined && items.length === 0 && (
          <Empty
            icon={<ShieldCheck size={22} aria-hidden="true" />}
            title="All quiet"
            text="When a stolen token is used or a session is stopped for its risk, its case file appears here."
          />
        )}
        {items.length > 0 && (
          <ul className="sp-list sp-list-flush">
            {items.map((incident) => (
              <li key={incident.id}>
                <IncidentItem incident={incident} />
              </li>
            ))}
          </ul>
        )}
        <MoreButton list={incidents} />
      </Card>
    </Frame>
  )
}

function IncidentItem({ incident }: { readonly incident: Incident }): ReactNode {
  const { signals, common } = useMessages()
  const place = usePlace()
  const { icon: Icon, title } = incidentKind(incident.reason)
  return (
    <Link
      to={`/incidents/${incident.id}`}
      className="sp-item sp-item-compact focus-inset text-ink no-underline hover:bg-hover"
    >
      <span className="sp-item-icon" data-tone="danger">
        <Icon size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <span className="sp-item-text">
        <span className="sp-item-title">
          {incident.userName === null ? title : `${title}: ${incident.userName}`}
          {incident.score !== null && <Badge tone="danger">Score {incident.score}</Badge>}
          {incident.reasons.map((reason) => (
            <Badge key={reason}>{wordFor(signals, reason)}</Badge>
          ))}
        </span>
        <span className="sp-facts">
          <Time value={incident.at} />
          <span>{place(incident)}</span>
          <span className="sp-num">{incident.ipAddress ?? common.noAddress}</span>
        </span>
      </span>
      <ChevronRight size={17} aria-hidden="true" className="text-faint" />
    </Link>
  )
}
