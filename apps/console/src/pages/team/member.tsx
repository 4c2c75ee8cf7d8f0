/**
 * One member: what they may do, their sessions, their end.
 *
 * @module
 */

import type { Team } from '@sallyport/react'
import { ActiveSessions, useMessages, usePermission, useSallyport, useTeam, wordFor } from '@sallyport/react'
import { Badge, Button, Card, CardBody, Confirm, Empty, LoadFailure, Skeleton, Time } from '@sallyport/react/ui'
import { ArrowLeft, LogOut, UserX } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { Page as Frame } from '../../parts/page.tsx'
import { FactorBadges } from './factor-badges.tsx'
import { MemberMenu } from './member-menu.tsx'
import type { Member } from './team.tsx'

export function Page(): ReactNode {
  const { userId = '' } = useParams()
  const team = useTeam()
  const member = team.data?.members.find(({ user }) => user.id === userId)
  const canEdit = usePermission('SETTINGS_SECURITY_EDIT')
  const back = (
    <Link to="/team" className="mb-1.5 inline-flex items-center gap-1.5 text-sm text-soft no-underline hover:text-ink">
      <ArrowLeft size={15} aria-hidden="true" />
      Team
    </Link>
  )
  if (team.data !== undefined && member === undefined) {
    return (
      <Frame title="No such member" back={back}>
        <Card className="sp-scope">
          <Empty
            icon={<UserX size={22} aria-hidden="true" />}
            title="Nobody here has this address"
            text="They may have been removed."
          />
        </Card>
      </Frame>
    )
  }
  return (
    <Frame
      title={member?.user.name ?? 'Member'}
      description={member?.user.email ?? <Skeleton width={200} height={16} />}
      back={back}
      actions={member !== undefined && <MemberMenu member={member} team={team} />}
    >
      {team.data === undefined && team.error !== undefined ? (
        <Card className="sp-scope">
          <LoadFailure of={team} />
        </Card>
      ) : (
        <Facts member={member} />
      )}
      <ActiveSessions
        userId={userId}
        title="Sessions"
        description={member === undefined ? 'Loading…' : `Where ${member.user.name} is signed in.`}
        withEnded
        canRevoke={canEdit}
        actions={canEdit && member !== undefined && <ForceOut member={member} team={team} />}
      />
    </Frame>
  )
}

/** The labels stand from the beginning, each with the room that its fact takes. */
function Facts({ member }: { readonly member: Member | undefined }): ReactNode {
  const { roles, permissions } = useMessages()
  const may = member?.permissions.map((permission) => wordFor(permissions, permission)).join(' · ')
  return (
    <Card className="sp-scope">
      <CardBody className="grid grid-cols-2 gap-x-6 gap-y-3 md:grid-cols-4">
        <Fact label="Role">
          {member && (
            <>
              <Badge tone="info">{wordFor(roles, member.role)}</Badge>
              {member.status !== 'active' && <Badge tone="danger">Disabled</Badge>}
            </>
          )}
        </Fact>
        <Fact label="Second factors">{member && <FactorBadges factors={member.factors} />}</Fact>
        <Fact label="Last seen">{member && <Time value={member.lastSeenAt} />}</Fact>
        <Fact label="Member since">{member && <Time value={member.createdAt} />}</Fact>
        <div className="col-span-2 md:col-span-4">
          <Fact label="May">
            {member && (
              <span className="truncate" title={may}>
                {may === '' ? 'Only what is their own' : may}
              </span>
            )}
          </Fact>
        </div>
      </CardBody>
    </Card>
  )
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <p className="text-xs text-faint">{label}</p>
      <div className="mt-0.5 flex h-6 items-center gap-1.5 overflow-hidden text-sm">
        {children ?? <Skeleton width={96} />}
      </div>
    </div>
  )
}

function ForceOut({ member, team }: { readonly member: Member; readonly team: Team }): ReactNode {
  const { notify } = useSallyport()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button
        size="sm"
        variant="danger-quiet"
        icon={<LogOut size={14} aria-hidden="true" />}
        onClick={() => setAsking(true)}
      >
        Force out
      </Button>
      {asking && (
        <Confirm
          title={`Force ${member.user.name} out?`}
          text="Every session and every token of theirs in this tenant is dead at once. They can sign in again."
          confirm="Force out"
          action={team.forceLogout}
          input={member.user.id}
          onDone={({ sessionsEnded }) =>
            notify(sessionsEnded === 1 ? '1 session ended' : `${sessionsEnded} sessions ended`)
          }
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
