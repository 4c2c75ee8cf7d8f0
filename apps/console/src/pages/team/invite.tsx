/**
 * Invites somebody to the tenant.
 *
 * @module
 */

import type { InviteInput, Team } from '@sallyport/react'
import { useFieldErrors, useMessages, useRoles, useSallyport, useSignedIn, wordFor } from '@sallyport/react'
import { Button, Callout, Dialog, SelectField, TextField } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'

export const ROLES = ['owner', 'admin', 'auditor', 'member'] as const

/** What a role is there for. */
export const ROLE_TEXTS: Readonly<Record<string, string>> = {
  owner: 'Everything. A tenant always has one.',
  admin: 'Sees and changes security settings, sessions and the team.',
  auditor: 'Looks at everything, changes nothing.',
  member: 'Only what is their own.',
}

export interface InviteProps {
  readonly team: Team
  readonly onClose: () => void
}

export function Invite({ team: { invite }, onClose }: InviteProps): ReactNode {
  const { roles, permissions } = useMessages()
  const { staff } = useSignedIn()
  const { notify } = useSallyport()
  const known = useRoles()
  const [form, setForm] = useState<InviteInput>({ email: '', name: '', role: 'member' })
  const errors = useFieldErrors(invite, ['email', 'name', 'role'])
  const close = (): void => {
    invite.reset()
    onClose()
  }
  const submit = async (): Promise<void> => {
    if (form.email.trim() === '' || form.name.trim() === '') return
    const outcome = await invite.run({ ...form, email: form.email.trim(), name: form.name.trim() })
    if (!outcome.ok) return
    notify(`Invitation sent to ${form.email.trim()}`)
    onClose()
  }
  const set = (change: Partial<InviteInput>): void => {
    setForm({ ...form, ...change })
    for (const name of Object.keys(change)) errors.clear(name)
  }
  const granted = known.data?.roles.find(({ name }) => name === form.role)?.permissions ?? []
  return (
    <Dialog
      title="Invite somebody"
      description="They get a mail with a link that works once, for seven days."
      onClose={close}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={invite.busy}
            disabled={form.email.trim() === '' || form.name.trim() === ''}
          >
            Send invitation
          </Button>
        </>
      }
    >
      <TextField
        label="Email"
        type="email"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={form.email}
        error={errors.of('email')}
        onChange={(event) => set({ email: event.target.value })}
      />
      <TextField
        label="Name"
        autoComplete="off"
        value={form.name}
        error={errors.of('name')}
        onChange={(event) => set({ name: event.target.value })}
      />
      <SelectField
        label="Role"
        hint={ROLE_TEXTS[form.role]}
        value={form.role}
        error={errors.of('role')}
        onChange={(event) => set({ role: event.target.value as InviteInput['role'] })}
      >
        {ROLES.filter((role) => role !== 'owner' || staff.role === 'owner').map((role) => (
          <option key={role} value={role}>
            {wordFor(roles, role)}
          </option>
        ))}
      </SelectField>
      <p className="min-h-10 text-sm text-faint">
        {granted.length === 0
          ? 'None of the permissions of this console.'
          : granted.map((permission) => wordFor(permissions, permission)).join(' · ')}
      </p>
      {errors.form !== undefined && (
        <Callout tone="danger" role="alert">
          {errors.form}
        </Callout>
      )}
    </Dialog>
  )
}
