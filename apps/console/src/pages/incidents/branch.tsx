/**
 * One of the two who held the session: where they were seen, how far they resemble it as it was, and what they did.
 *
 * @module
 */

import { useMessages } from '@sallyport/react'
import { Badge, Button, Card, CardBody, DeviceIcon, useDevice, usePlace } from '@sallyport/react/ui'
import { Check, CircleHelp, CircleUserRound, Minus, UserRoundX, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Clock } from '../../parts/clock.tsx'
import type { CaseBranch } from './branches.tsx'
import { TimelineEvent, TimelineToken } from './timeline.tsx'

const KINDS = {
  owner: { label: 'Looks like the owner', tone: 'ok', icon: CircleUserRound },
  other: { label: 'Somebody else', tone: 'danger', icon: UserRoundX },
  unknown: { label: 'Cannot be told', tone: 'neutral', icon: CircleHelp },
} as const

const ROLES: Readonly<Record<CaseBranch['id'], string>> = {
  went_on: 'Spent the token first, and went on with the next',
  came_back: 'Came with the token when it was spent',
}

export function Branch({ branch }: { readonly branch: CaseBranch }): ReactNode {
  const { common } = useMessages()
  // Not every request tells a place: the newest that is known is where they were.
  const placed = [branch, ...branch.seen, ...branch.tokens].find(
    ({ country, city }) => country !== null || city !== null,
  )
  const [place, device] = [usePlace()(placed ?? branch), useDevice()(branch)]
  const { label, tone, icon: Icon } = KINDS[branch.kind]
  return (
    <Card className={`flex flex-col ${branch.kind === 'other' ? 'border-danger!' : ''}`}>
      <div className="flex items-start gap-3 px-4 pt-4">
        <span className="sp-item-icon" data-tone={tone === 'neutral' ? undefined : tone}>
          <Icon size={19} strokeWidth={1.75} aria-hidden="true" />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="sp-card-title flex flex-wrap items-center gap-x-2 gap-y-1">
            {place} <Badge tone={tone}>{label}</Badge>
          </h2>
          <p className="text-sm text-faint">{ROLES[branch.id]}</p>
        </div>
      </div>
      <CardBody className="mt-3 flex flex-1 flex-col gap-4">
        <dl className="sp-definitions">
          <dt>Address</dt>
          <dd className="sp-num">{branch.ipAddress ?? common.noAddress}</dd>
          <dt>Device</dt>
          <dd className="flex items-center gap-1.5">
            <DeviceIcon type={branch.device.type} size={15} />
            {device}
          </dd>
          <dt>Seen</dt>
          <dd>
            {branch.firstSeenAt === null ? (
              'Not at all'
            ) : (
              <>
                <Clock value={branch.firstSeenAt} />
                {branch.lastSeenAt !== null && branch.lastSeenAt !== branch.firstSeenAt && (
                  <>
                    {' to '}
                    <Clock value={branch.lastSeenAt} />
                  </>
                )}
              </>
            )}
          </dd>
        </dl>
        <ul aria-label="Compared with the session before" className="flex flex-wrap gap-1.5">
          <Likeness what="network" same={branch.resembles.network} />
          <Likeness what="browser" same={branch.resembles.agent} />
          <Likeness what="device" same={branch.resembles.device} />
        </ul>
        <Timeline branch={branch} />
      </CardBody>
    </Card>
  )
}

interface LikenessProps {
  readonly what: string
  /** Null where either side shows nothing to compare. */
  readonly same: boolean | null
}

function Likeness({ what, same }: LikenessProps): ReactNode {
  if (same === null)
    return (
      <li>
        <Badge icon={<Minus size={11} aria-hidden="true" />}>No {what} to compare</Badge>
      </li>
    )
  return (
    <li>
      <Badge
        tone={same ? 'ok' : 'danger'}
        icon={same ? <Check size={11} aria-hidden="true" /> : <X size={11} aria-hidden="true" />}
      >
        {same ? 'Same' : 'Another'} {what}
      </Badge>
    </li>
  )
}

const FIRST = 12

function Timeline({ branch }: { readonly branch: CaseBranch }): ReactNode {
  const [all, setAll] = useState(false)
  const entries = [
    ...branch.tokens.map((token) => ({ at: token.issuedAt, token, action: undefined })),
    ...branch.actions.map((action) => ({ at: action.at, token: undefined, action })),
  ].sort((a, b) => a.at.localeCompare(b.at))
  const left = branch.tokenCount - branch.tokens.length + branch.actionCount - branch.actions.length
  return (
    <div className="border-t border-line pt-4">
      <h3 className="sp-label mb-3">Since they parted</h3>
      {entries.length === 0 && branch.id === 'came_back' && branch.firstSeenAt !== null && (
        <p className="text-sm text-faint">
          Nothing but coming back, at <Clock value={branch.firstSeenAt} />. That betrayed the theft.
        </p>
      )}
      {entries.length === 0 && branch.id !== 'came_back' && <p className="text-sm text-faint">Nothing was recorded.</p>}
      <ol className="flex flex-col gap-3">
        {entries
          .slice(0, all ? undefined : FIRST)
          .map(({ token, action }) =>
            token === undefined ? (
              action && <TimelineEvent key={action.id} action={action} />
            ) : (
              <TimelineToken key={`token ${token.generation}`} token={token} />
            ),
          )}
      </ol>
      {entries.length > FIRST && !all && (
        <div className="mt-3">
          <Button variant="link" onClick={() => setAll(true)}>
            Show {entries.length - FIRST} more
          </Button>
        </div>
      )}
      {left > 0 && (all || entries.length <= FIRST) && (
        <p className="mt-3 text-sm text-faint">{left} more in the audit log.</p>
      )}
    </div>
  )
}
