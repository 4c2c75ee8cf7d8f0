/**
 * Where somebody is signed in, and how to end it.
 *
 * @module
 */

import type { Session } from '@sallyport/client'
import { LogOut, MonitorOff, UserRoundCog } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useMessages } from '../context.ts'
import { useDevice, usePlace } from '../format/describe.ts'
import { DeviceIcon } from '../format/device-icon.tsx'
import { Time } from '../format/time.tsx'
import { useErrorText } from '../hooks/errors.ts'
import type { Sessions } from '../hooks/use-sessions.ts'
import { useSessions } from '../hooks/use-sessions.ts'
import { wordFor } from '../messages/messages.ts'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { focusAgain, homeOf } from '../ui/focus.ts'
import { MoreButton } from '../ui/more-button.tsx'
import { Segments } from '../ui/field.tsx'
import { Badge, Callout, Card, Empty, Failure, SkeletonItems } from '../ui/surface.tsx'

export interface ActiveSessionsProps {
  /** Whose sessions; one's own where it is left out. */
  readonly userId?: string | undefined
  /** In place of "Active sessions". */
  readonly title?: ReactNode
  readonly description?: ReactNode
  /** Whether ended sessions can be looked at too. Defaults to false. */
  readonly withEnded?: boolean
  /** Whether sessions can be revoked here. Defaults to true. */
  readonly canRevoke?: boolean
  /** Beside "Revoke all other sessions". */
  readonly actions?: ReactNode
}

/** The sessions of a person: device, place, address, user agent, last seen; with "Revoke" on each, and one for all the others. */
export function ActiveSessions({
  userId,
  title,
  description,
  withEnded = false,
  canRevoke = true,
  actions,
}: ActiveSessionsProps): ReactNode {
  const { sessions: texts } = useMessages()
  const [state, setState] = useState<'active' | 'ended'>('active')
  const [asking, setAsking] = useState<'current' | 'others' | undefined>(undefined)
  const sessions = useSessions({ userId, state })
  const { items, currentSessionId, revoke, revokeOthers } = sessions
  const isOwn = userId === undefined || items.some(({ id, kind }) => id === currentSessionId && kind === 'login')
  const hasOthers = items.some(({ id, kind }) => id !== currentSessionId && kind === 'login')

  const end = async (sessionId: string): Promise<void> => {
    const button = document.activeElement
    const home = homeOf(button)
    if ((await revoke.run(sessionId)).ok) requestAnimationFrame(() => focusAgain(button, home))
  }
  const begin = (session: Session): void => {
    if (session.isCurrent) setAsking('current')
    else void end(session.id)
  }
  return (
    <Card
      className="sp-scope"
      title={title ?? texts.title}
      description={description ?? texts.text}
      actions={
        <>
          {withEnded && (
            <Segments
              label={texts.filter}
              value={state}
              onChange={setState}
              options={[
                { value: 'active', label: texts.filterActive },
                { value: 'ended', label: texts.filterEnded },
              ]}
            />
          )}
          {actions}
          {canRevoke && isOwn && userId === undefined && state === 'active' && (
            <Button
              size="sm"
              variant="danger-quiet"
              disabled={!hasOthers}
              busy={revokeOthers.busy}
              icon={<LogOut size={14} aria-hidden="true" />}
              onClick={() => setAsking('others')}
            >
              {texts.revokeOthers}
            </Button>
          )}
        </>
      }
    >
      <SessionFailures sessions={sessions} />
      <SessionItems sessions={sessions} ended={state === 'ended'} onRevoke={canRevoke ? begin : undefined} />
      {asking === 'current' && (
        <Confirm
          title={texts.revokeCurrentTitle}
          text={texts.revokeCurrentText}
          confirm={texts.revokeCurrentConfirm}
          action={revoke}
          input={currentSessionId ?? ''}
          onClose={() => setAsking(undefined)}
        />
      )}
      {asking === 'others' && (
        <Confirm
          title={texts.revokeOthersTitle}
          text={texts.revokeOthersText}
          confirm={texts.revokeOthersConfirm}
          action={revokeOthers}
          input={undefined}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Card>
  )
}

/** What was refused, above the list: the row that it was about may be gone by now. */
function SessionFailures({ sessions: { revoke, revokeOthers } }: { readonly sessions: Sessions }): ReactNode {
  const text = useErrorText()
  const error = revoke.error ?? revokeOthers.error
  if (error === undefined || error.code === 'STEP_UP_CANCELLED') return null
  return (
    <div className="sp-card-body">
      <Callout tone="danger" role="alert">
        {text(error)}
      </Callout>
    </div>
  )
}

interface SessionItemsProps {
  readonly sessions: Sessions
  readonly ended: boolean
  readonly onRevoke: ((session: Session) => void) | undefined
}

function SessionItems({ sessions, ended, onRevoke }: SessionItemsProps): ReactNode {
  const { sessions: texts } = useMessages()
  const text = useErrorText()
  const { items, loading, error, reload, refreshing, revoke } = sessions
  if (loading) return <SkeletonItems count={4} />
  if (error !== undefined && items.length === 0)
    return <Failure text={text(error)} onRetry={reload} busy={refreshing} />
  if (items.length === 0) {
    return (
      <Empty
        icon={<MonitorOff size={22} aria-hidden="true" />}
        title={ended ? texts.emptyEndedTitle : texts.emptyTitle}
        text={ended ? texts.emptyEndedText : texts.emptyText}
      />
    )
  }
  return (
    <>
      <ul className="sp-list">
        {items.map((session) => (
          <li key={session.id}>
            <SessionItem
              session={session}
              busy={revoke.busy && revoke.input === session.id}
              onRevoke={
                onRevoke === undefined || session.revokedAt !== null || ended ? undefined : () => onRevoke(session)
              }
            />
          </li>
        ))}
      </ul>
      <MoreButton list={sessions} />
    </>
  )
}

interface SessionItemProps {
  readonly session: Session
  readonly busy: boolean
  readonly onRevoke: (() => void) | undefined
}

function SessionItem({ session, busy, onRevoke }: SessionItemProps): ReactNode {
  const { sessions: texts, common } = useMessages()
  const [device, place] = [useDevice()(session), usePlace()(session)]
  const { impersonator, kind } = session
  return (
    <div className="sp-item">
      <span className="sp-item-icon" data-tone={kind === 'impersonation' ? 'warn' : undefined}>
        {kind === 'impersonation' ? (
          <UserRoundCog size={18} strokeWidth={1.75} aria-hidden="true" />
        ) : (
          <DeviceIcon type={session.device.type} />
        )}
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          <span>{device}</span>
          {session.isCurrent && <Badge tone="ok">{texts.current}</Badge>}
          {impersonator !== undefined && <Badge tone="warn">{texts.impersonation(impersonator.name)}</Badge>}
          {session.revokeReason !== null && <Badge>{wordFor(texts.reasons, session.revokeReason)}</Badge>}
        </p>
        <div className="sp-facts">
          <span>{place}</span>
          <span className="sp-num">{session.ipAddress ?? common.noAddress}</span>
          {session.revokedAt === null ? (
            <span>
              {texts.lastSeen} <Time value={session.lastSeenAt} />
            </span>
          ) : (
            <span>
              {texts.endedAt} <Time value={session.revokedAt} />
            </span>
          )}
          <span>
            {texts.signedIn} <Time value={session.createdAt} />
          </span>
        </div>
        {session.userAgent !== null && (
          <p className="sp-faint sp-tiny sp-truncate" title={session.userAgent}>
            {session.userAgent}
          </p>
        )}
      </div>
      {onRevoke !== undefined && (
        <div className="sp-item-actions">
          <Button
            size="sm"
            variant="danger-quiet"
            busy={busy}
            aria-label={texts.revokeLabel(device, place)}
            onClick={onRevoke}
          >
            {texts.revoke}
          </Button>
        </div>
      )}
    </div>
  )
}
