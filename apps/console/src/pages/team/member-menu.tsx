/**
 * What can be done to a member.
 *
 * @module
 */

import * as Dropdown from '@radix-ui/react-dropdown-menu'
import type { Team } from '@sallyport/react'
import { useAction, usePermission, useSallyport, useSignedIn } from '@sallyport/react'
import { Confirm } from '@sallyport/react/ui'
import {
  Ban,
  EllipsisVertical,
  LogOut,
  MonitorSmartphone,
  ScrollText,
  ShieldOff,
  UserCheck,
  UserMinus,
  UserRoundCog,
  UserRoundPen,
} from 'lucide-react'
import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { ChangeAccess } from './change-access.tsx'
import { Impersonate } from './impersonate.tsx'
import type { Member } from './team.tsx'

type Task = 'access' | 'impersonate' | 'disable' | 'enable' | 'remove' | 'reset' | 'force'

export interface MemberMenuProps {
  readonly member: Member
  readonly team: Team
}

export function MemberMenu({ member, team }: MemberMenuProps): ReactNode {
  const navigate = useNavigate()
  const [task, setTask] = useState<Task | undefined>(undefined)
  const may = useMayDo(member)
  const { user, status } = member
  return (
    <>
      <Dropdown.Root modal={false}>
        <Dropdown.Trigger
          aria-label={`What can be done with ${user.name}`}
          className="sp-button sp-button-ghost sp-button-sm sp-button-icon"
        >
          <EllipsisVertical size={16} aria-hidden="true" />
        </Dropdown.Trigger>
        <Dropdown.Portal>
          <Dropdown.Content align="end" sideOffset={4} collisionPadding={8} className="menu w-[224px]">
            {may.look && (
              <>
                <Item icon={MonitorSmartphone} onSelect={() => void navigate(`/team/${user.id}`)}>
                  Sessions
                </Item>
                <Item icon={ScrollText} onSelect={() => void navigate(`/audit?userId=${user.id}`)}>
                  What they did
                </Item>
              </>
            )}
            {may.impersonate && (
              <Item icon={UserRoundCog} onSelect={() => setTask('impersonate')}>
                Act as {user.name.split(' ')[0]}…
              </Item>
            )}
            {may.change && (
              <>
                <Dropdown.Separator className="menu-line" />
                <Item icon={UserRoundPen} onSelect={() => setTask('access')}>
                  Role and permissions…
                </Item>
                <Item icon={ShieldOff} onSelect={() => setTask('reset')}>
                  Reset second factors…
                </Item>
              </>
            )}
            {may.force && (
              <Item icon={LogOut} danger onSelect={() => setTask('force')}>
                Force out…
              </Item>
            )}
            {may.change && (
              <>
                {status === 'disabled' ? (
                  <Item icon={UserCheck} onSelect={() => setTask('enable')}>
                    Enable…
                  </Item>
                ) : (
                  <Item icon={Ban} danger onSelect={() => setTask('disable')}>
                    Disable…
                  </Item>
                )}
                <Item icon={UserMinus} danger onSelect={() => setTask('remove')}>
                  Remove…
                </Item>
              </>
            )}
            {!Object.values(may).includes(true) && (
              <p className="px-2.5 py-1.5 text-xs text-faint">Nothing, for you.</p>
            )}
          </Dropdown.Content>
        </Dropdown.Portal>
      </Dropdown.Root>
      {task !== undefined && <MemberTask task={task} member={member} team={team} onClose={() => setTask(undefined)} />}
    </>
  )
}

interface ItemProps {
  readonly icon: LucideIcon
  readonly danger?: boolean
  readonly onSelect: () => void
  readonly children: ReactNode
}

function Item({ icon: Icon, danger = false, onSelect, children }: ItemProps): ReactNode {
  return (
    <Dropdown.Item className="menu-item" data-tone={danger ? 'danger' : undefined} onSelect={onSelect}>
      <Icon size={16} aria-hidden="true" />
      {children}
    </Dropdown.Item>
  )
}

/** What is worth offering. The service judges rank and rights; this leaves out what it would refuse in any case. */
function useMayDo({ user, role }: Member) {
  const me = useSignedIn()
  const [view, edit] = [usePermission('SETTINGS_SECURITY_VIEW'), usePermission('SETTINGS_SECURITY_EDIT')]
  const [teamView, teamEdit] = [usePermission('SETTINGS_TEAM_VIEW'), usePermission('SETTINGS_TEAM_EDIT')]
  const isSelf = user.id === me.user.id
  const isAbove = role === 'owner' && me.staff.role !== 'owner'
  const isActing = me.impersonation !== null
  return {
    look: view,
    impersonate: teamView && !isSelf && role !== 'owner' && !isActing,
    change: teamEdit && !isSelf && !isAbove && !isActing,
    force: edit && !isAbove && !isActing,
  }
}

interface MemberTaskProps extends MemberMenuProps {
  readonly task: Task
  readonly onClose: () => void
}

function MemberTask({ task, member, team, onClose }: MemberTaskProps): ReactNode {
  const { notify } = useSallyport()
  const { id, user } = member
  const { name } = user
  const setDisabled = useAction(({ disabled }: { readonly disabled: boolean }) =>
    team.change.run({ staffId: id, disabled }).then((outcome) => {
      if (!outcome.ok) throw outcome.error
      return outcome.value
    }),
  )
  switch (task) {
    case 'access':
      return <ChangeAccess member={member} team={team} onClose={onClose} />
    case 'impersonate':
      return <Impersonate member={member} onClose={onClose} />
    case 'disable':
      return (
        <Confirm
          title={`Disable ${name}?`}
          text="Everything they have open is ended, and they cannot sign in until they are enabled again. Their data stays."
          confirm="Disable"
          action={setDisabled}
          input={{ disabled: true }}
          onDone={() => notify(`${name} is disabled`)}
          onClose={onClose}
        />
      )
    case 'enable':
      return (
        <Confirm
          title={`Enable ${name}?`}
          text="They can sign in again, with the role and the permissions that they had."
          confirm="Enable"
          variant="primary"
          action={setDisabled}
          input={{ disabled: false }}
          onDone={() => notify(`${name} is enabled`)}
          onClose={onClose}
        />
      )
    case 'remove':
      return (
        <Confirm
          title={`Remove ${name}?`}
          text="Everything they have open here is ended. What they did stays in the audit log. An invitation brings them back."
          confirm="Remove"
          action={team.remove}
          input={id}
          onDone={() => notify(`${name} was removed`)}
          onClose={onClose}
        />
      )
    case 'reset':
      return (
        <Confirm
          title={`Reset the second factors of ${name}?`}
          text="For somebody who has lost them. Their sessions are ended, they are told, and until they enrol again their password alone signs them in. Be sure that it is them who asks."
          confirm="Reset"
          action={team.resetFactors}
          input={id}
          onDone={() => notify(`The second factors of ${name} were removed`)}
          onClose={onClose}
        />
      )
    case 'force':
      return (
        <Confirm
          title={`Force ${name} out?`}
          text="Every session and every token of theirs in this tenant is dead at once. They can sign in again."
          confirm="Force out"
          action={team.forceLogout}
          input={user.id}
          onDone={({ sessionsEnded }) =>
            notify(sessionsEnded === 1 ? '1 session ended' : `${sessionsEnded} sessions ended`)
          }
          onClose={onClose}
        />
      )
  }
}
