/**
 * The register: who acted as whom, why, when, and how it ended.
 *
 * @module
 */

import type { ImpersonationEntry } from '@sallyport/react'
import { useImpersonations, useMessages, wordFor } from '@sallyport/react'
import { Badge, Card, Empty, LoadFailure, MoreButton, SkeletonItems, Time } from '@sallyport/react/ui'
import { ArrowRight, UserRoundCog } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Page as Frame } from '../parts/page.tsx'

export function Page(): ReactNode {
  const register = useImpersonations()
  const { items, loading, error } = register
  return (
    <Frame
      title="Impersonations"
      description="Whoever acts as another does so with a reason, for half an hour at most, and on the record."
    >
      <Card className="sp-scope" title="Register" description="Newest first">
        {loading && <SkeletonItems count={5} />}
        {items.length === 0 && <LoadFailure of={register} />}
        {!loading && error === undefined && items.length === 0 && (
          <Empty
            icon={<UserRoundCog size={22} aria-hidden="true" />}
            title="Nobody acted as another"
            text="When somebody of the team does, it is written down here: who, whom, why, and how it ended."
          />
        )}
        {items.length > 0 && (
          <ul className="sp-list">
            {items.map((entry) => (
              <li key={entry.sessionId}>
                <Entry entry={entry} />
              </li>
            ))}
          </ul>
        )}
        <MoreButton list={register} />
      </Card>
    </Frame>
  )
}

const ENDINGS: Readonly<Record<string, string>> = { exit: 'Stopped by hand', expired: 'Time was up' }

function Entry({ entry }: { readonly entry: ImpersonationEntry }): ReactNode {
  const { sessions } = useMessages()
  const { realUser, user, reason, startedAt, expiresAt, endedAt, ended, ipAddress, sessionId } = entry
  return (
    <div className="sp-item">
      <span className="sp-item-icon" data-tone={endedAt === null ? 'warn' : undefined}>
        <UserRoundCog size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          <span>{realUser.name}</span>
          <ArrowRight size={14} role="img" aria-label="acting as" className="text-faint" />
          <span>{user.name}</span>
          {endedAt === null ? (
            <Badge tone="warn">Going on</Badge>
          ) : (
            <Badge>{ENDINGS[ended ?? ''] ?? wordFor(sessions.reasons, ended ?? 'ended')}</Badge>
          )}
        </p>
        <p className="text-sm break-words text-soft">{reason}</p>
        <div className="sp-facts">
          <span>
            Started <Time value={startedAt} />
          </span>
          <span>
            {endedAt === null ? 'Ends ' : 'Ended '}
            <Time value={endedAt ?? expiresAt} />
          </span>
          {ipAddress !== null && <span className="sp-num">{ipAddress}</span>}
        </div>
      </div>
      <div className="sp-item-actions">
        <Link
          to={`/audit?sessionId=${sessionId}`}
          className="sp-button sp-button-secondary sp-button-sm"
          aria-label={`What ${realUser.name} did as ${user.name}`}
        >
          What was done
        </Link>
      </div>
    </div>
  )
}
