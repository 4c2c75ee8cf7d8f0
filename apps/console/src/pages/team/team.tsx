/**
 * The members of the tenant, and who is invited.
 *
 * @module
 */

import type { Team } from '@sallyport/react'
import { useErrorText, useMessages, usePermission, useSignedIn, useTeam, wordFor } from '@sallyport/react'
import {
  Avatar,
  Badge,
  Button,
  Callout,
  Card,
  Empty,
  LoadFailure,
  SearchInput,
  SkeletonItems,
  Time,
} from '@sallyport/react/ui'
import { MailPlus, UserPlus, UsersRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'react-router'
import { Page as Frame } from '../../parts/page.tsx'
import { FactorBadges } from './factor-badges.tsx'
import { Invite } from './invite.tsx'
import { MemberMenu } from './member-menu.tsx'

export type Member = NonNullable<Team['data']>['members'][number]
type OpenInvitation = NonNullable<Team['data']>['invitations'][number]

export function Page(): ReactNode {
  const team = useTeam()
  const canEdit = usePermission('SETTINGS_TEAM_EDIT')
  const [inviting, setInviting] = useState(false)
  const [search, setSearch] = useState('')
  const { data, loading } = team
  const wanted = search.trim().toLowerCase()
  const members = data?.members.filter(
    ({ user, role }) =>
      wanted === '' || [user.name, user.email ?? '', role].some((one) => one.toLowerCase().includes(wanted)),
  )
  return (
    <Frame
      title="Team"
      description="Who is in the tenant, what they may do, and how well they are protected."
      actions={
        canEdit && (
          <Button
            variant="primary"
            disabled={data === undefined}
            icon={<UserPlus size={16} aria-hidden="true" />}
            onClick={() => setInviting(true)}
          >
            Invite
          </Button>
        )
      }
    >
      <Card
        className="sp-scope"
        title="Members"
        description={data === undefined ? 'Loading…' : `${data.members.length} in all`}
        actions={
          <div className="w-[220px]">
            <SearchInput
              aria-label="Search members"
              placeholder="Search"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </div>
        }
      >
        {loading && <SkeletonItems count={6} />}
        {data === undefined && <LoadFailure of={team} />}
        {members?.length === 0 && (
          <Empty icon={<UsersRound size={22} aria-hidden="true" />} title="Nobody of that name" />
        )}
        {members !== undefined && members.length > 0 && (
          <ul className="sp-list">
            {members.map((member) => (
              <li key={member.id}>
                <MemberItem member={member} team={team} />
              </li>
            ))}
          </ul>
        )}
      </Card>
      {data !== undefined && data.invitations.length > 0 && (
        <Card className="sp-scope" title="Invited" description="Their links work once, for seven days.">
          <ul className="sp-list">
            {data.invitations.map((invitation) => (
              <li key={invitation.id}>
                <InvitationItem invitation={invitation} team={team} canEdit={canEdit} />
              </li>
            ))}
          </ul>
          <InvitationFailure team={team} />
        </Card>
      )}
      {inviting && <Invite team={team} onClose={() => setInviting(false)} />}
    </Frame>
  )
}

function MemberItem({ member, team }: { readonly member: Member; readonly team: Team }): ReactNode {
  const { roles } = useMessages()
  const me = useSignedIn()
  const { user, role, status, extraPermissions, factors, lastSeenAt, liveSessions } = member
  return (
    <div className="sp-item sp-item-compact">
      <Avatar name={user.name} />
      <div className="sp-item-text">
        <p className="sp-item-title">
          <Link to={`/team/${user.id}`} className="text-ink no-underline hover:underline">
            {user.name}
          </Link>
          {user.id === me.user.id && <Badge>You</Badge>}
          <Badge tone={role === 'owner' || role === 'admin' ? 'info' : 'neutral'}>{wordFor(roles, role)}</Badge>
          {status !== 'active' && <Badge tone="danger">{status === 'disabled' ? 'Disabled' : 'Removed'}</Badge>}
          {extraPermissions.length > 0 && (
            <Badge title={extraPermissions.join(', ')}>
              +{extraPermissions.length} {extraPermissions.length === 1 ? 'permission' : 'permissions'}
            </Badge>
          )}
        </p>
        <div className="sp-facts">
          <span className="sp-truncate">{user.email}</span>
          <span>
            Last seen <Time value={lastSeenAt} otherwise="never" />
          </span>
          <span>{liveSessions === 1 ? '1 live session' : `${liveSessions} live sessions`}</span>
        </div>
        <div className="mt-1 flex justify-start sm:hidden">
          <FactorBadges factors={factors} />
        </div>
      </div>
      <div className="sp-item-actions">
        <span className="hidden sm:block">
          <FactorBadges factors={factors} />
        </span>
        <MemberMenu member={member} team={team} />
      </div>
    </div>
  )
}

interface InvitationItemProps {
  readonly invitation: OpenInvitation
  readonly team: Team
  readonly canEdit: boolean
}

function InvitationItem({ invitation, team: { withdraw, resend }, canEdit }: InvitationItemProps): ReactNode {
  const { roles } = useMessages()
  const { id, name, email, role, createdAt, expiresAt } = invitation
  return (
    <div className="sp-item">
      <span className="sp-item-icon">
        <MailPlus size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          {name} <Badge>{wordFor(roles, role)}</Badge>
        </p>
        <div className="sp-facts">
          <span className="sp-truncate">{email}</span>
          <span>
            Invited <Time value={createdAt} />
          </span>
          <span>
            Ends <Time value={expiresAt} />
          </span>
        </div>
      </div>
      {canEdit && (
        <div className="sp-item-actions">
          <Button
            size="sm"
            variant="ghost"
            aria-label={`Send the invitation of ${name} again`}
            busy={resend.busy && resend.input === id}
            onClick={() => void resend.run(id)}
          >
            Send again
          </Button>
          <Button
            size="sm"
            variant="danger-quiet"
            aria-label={`Withdraw the invitation of ${name}`}
            busy={withdraw.busy && withdraw.input === id}
            onClick={() => void withdraw.run(id)}
          >
            Withdraw
          </Button>
        </div>
      )}
    </div>
  )
}

function InvitationFailure({ team: { withdraw, resend } }: { readonly team: Team }): ReactNode {
  const text = useErrorText()
  const error = withdraw.error ?? resend.error
  if (error === undefined || error.code === 'STEP_UP_CANCELLED') return null
  return (
    <div className="sp-card-body">
      <Callout tone="danger" role="alert">
        {text(error)}
      </Callout>
    </div>
  )
}
