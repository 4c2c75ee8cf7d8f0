/**
 * Begins to act as a member, with the reason that goes on record.
 *
 * @module
 */

import { useFieldErrors, useImpersonation, useSallyport } from '@sallyport/react'
import { AreaField, Button, Callout, Dialog } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { Member } from './team.tsx'

export interface ImpersonateProps {
  readonly member: Member
  readonly onClose: () => void
}

export function Impersonate({ member: { id, user }, onClose }: ImpersonateProps): ReactNode {
  const navigate = useNavigate()
  const { notify } = useSallyport()
  const { start } = useImpersonation()
  const [reason, setReason] = useState('')
  const errors = useFieldErrors(start, ['reason'])
  const submit = async (): Promise<void> => {
    if (reason.trim() === '') return
    if (!(await start.run({ staffId: id, reason: reason.trim() })).ok) return
    onClose()
    notify(`You act as ${user.name} now`)
    void navigate('/')
  }
  return (
    <Dialog
      title={`Act as ${user.name}`}
      description="You see and do what they can, for half an hour at most. Everything is recorded under both names, and they see it in their sessions."
      onClose={onClose}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={start.busy} disabled={reason.trim() === ''}>
            Begin
          </Button>
        </>
      }
    >
      <AreaField
        label="Why"
        hint="In words that somebody else understands in a year: a ticket, a call, what was asked for."
        maxLength={500}
        value={reason}
        error={errors.of('reason')}
        onChange={(event) => {
          setReason(event.target.value)
          errors.clear('reason')
        }}
      />
      {errors.form !== undefined && (
        <Callout tone="danger" role="alert">
          {errors.form}
        </Callout>
      )}
    </Dialog>
  )
}
