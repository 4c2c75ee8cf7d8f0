/**
 * The newest incidents.
 *
 * @module
 */

import type { Overview } from '@sallyport/react'
import { Card, Empty, SkeletonItems, Time, usePlace } from '@sallyport/react/ui'
import { ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { incidentKind } from '../incidents/incident-kind.ts'

/** What there is room for at a height that is the same while nothing is known yet. */
const SHOWN = 3

export function Alerts({ alerts }: { readonly alerts: Overview['alerts'] | undefined }): ReactNode {
  const place = usePlace()
  return (
    <Card
      className="sp-scope flex h-[360px] flex-col"
      title="Latest alerts"
      description="What was detected and stopped"
      actions={
        <Link to="/incidents" className="text-sm">
          All
        </Link>
      }
    >
      {alerts === undefined && <SkeletonItems count={SHOWN} />}
      {alerts?.length === 0 && (
        <div className="grid flex-1 place-items-center">
          <Empty
            icon={<ShieldCheck size={22} aria-hidden="true" />}
            title="All quiet"
            text="No theft was detected and nothing had to be stopped."
          />
        </div>
      )}
      {alerts !== undefined && alerts.length > 0 && (
        <ul className="sp-list min-h-0 overflow-y-auto">
          {alerts.slice(0, SHOWN).map((incident) => {
            const { icon: Icon, title } = incidentKind(incident.reason)
            return (
              <li key={incident.id}>
                <Link
                  to={`/incidents/${incident.id}`}
                  className="sp-item sp-item-compact focus-inset text-ink no-underline hover:bg-hover"
                >
                  <span className="sp-item-icon" data-tone="danger">
                    <Icon size={18} strokeWidth={1.75} aria-hidden="true" />
                  </span>
                  <span className="sp-item-text">
                    <span className="sp-item-title">{title}</span>
                    <span className="sp-facts">
                      {incident.userName !== null && <span>{incident.userName}</span>}
                      <Time value={incident.at} />
                      <span>{place(incident)}</span>
                    </span>
                  </span>
                </Link>
              </li>
            )
          })}
        </ul>
      )}
    </Card>
  )
}
