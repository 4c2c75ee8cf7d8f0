/**
 * Changes a member's role, and what they may do beyond it.
 *
 * @module
 */

import type { MemberChange, Team } from '@sallyport/react'
import { useFieldErrors, useMessages, useRoles, useSallyport, useSignedIn, wordFor } from '@sallyport/react'
import { Button, Callout, Check, Dialog, SelectField, Skeleton } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { ROLE_TEXTS, ROLES } from './invite.tsx'
import type { Member } from './team.tsx'

export interface ChangeAccessProps {
  readonly member: Member
  readonly team: Team
  readonly onClose: () => void
}

export function ChangeAccess({ member, team: { change }, onClose }: ChangeAccessProps): ReactNode {
  const { roles: words, permissions } = useMessages()
  const { staff } = useSignedIn()
  const { notify } = useSallyport()
  const { data } = useRoles()
  const [role, setRole] = useState(member.role)
  const [extra, setExtra] = useState<ReadonlySet<string>>(() => new Set(member.extraPermissions))
  const errors = useFieldErrors(change, ['role', 'permissions'])
  const ofRole = new Set(data?.roles.find(({ name }) => name === role)?.permissions)
  const wasExtra = new Set(member.extraPermissions)
  const isSame = wasExtra.size === extra.size && [...extra].every((one) => wasExtra.has(one))
  const isChanged = role !== member.role || !isSame

  const close = (): void => {
    change.reset()
    onClose()
  }
  const submit = async (): Promise<void> => {
    if (!isChanged) return
    const outcome = await change.run({
      staffId: member.id,
      ...(role === member.role ? {} : { role }),
      ...(isSame ? {} : { permissions: [...extra] }),
    } satisfies MemberChange)
    if (!outcome.ok) return
    notify(`${member.user.name} is ${wordFor(words, outcome.value.member.role).toLowerCase()} now`)
    onClose()
  }
  return (
    <Dialog
      title={`Access of ${member.user.name}`}
      description="It holds from their next request on, and signs nobody out."
      onClose={close}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="primary" busy={change.busy} disabled={!isChanged}>
            Save
          </Button>
        </>
      }
    >
      <SelectField
        label="Role"
        hint={ROLE_TEXTS[role]}
        value={role}
        error={errors.of('role')}
        onChange={(event) => {
          setRole(event.target.value as Member['role'])
          errors.clear('role')
        }}
      >
        {ROLES.filter((one) => one !== 'owner' || staff.role === 'owner').map((one) => (
          <option key={one} value={one}>
            {wordFor(words, one)}
          </option>
        ))}
      </SelectField>
      <fieldset className="sp-stack-sm">
        <legend className="sp-label">Permissions</legend>
        {data === undefined && Array.from({ length: 4 }, (_, at) => <Skeleton key={at} height={20} />)}
        {data?.permissions.map(({ name }) => {
          const byRole = ofRole.has(name)
          // Nobody grants what they do not hold; what somebody has may be taken away.
          const mayGrant = staff.permissions.includes(name) || extra.has(name)
          return (
            <Check
              key={name}
              label={wordFor(permissions, name)}
              hint={byRole ? 'Comes with the role' : mayGrant ? undefined : 'You do not hold it yourself'}
              checked={byRole || extra.has(name)}
              disabled={byRole || !mayGrant}
              onChange={(event) => {
                const next = new Set(extra)
                if (event.target.checked) next.add(name)
                else next.delete(name)
                setExtra(next)
                errors.clear('permissions')
              }}
            />
          )
        })}
      </fieldset>
      {(errors.form ?? errors.of('permissions')) !== undefined && (
        <Callout tone="danger" role="alert">
          {errors.form ?? errors.of('permissions')}
        </Callout>
      )}
    </Dialog>
  )
}
