/**
 * Enrols a passkey.
 *
 * @module
 */

import { Fingerprint } from 'lucide-react'
import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { useMessages } from '../context.ts'
import { useDevice } from '../format/describe.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { Mfa } from '../hooks/use-mfa.ts'
import { useSignedIn } from '../hooks/use-session.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Callout } from '../ui/surface.tsx'
import { AskPassword, asksForPassword } from './ask-password.tsx'

export interface AddPasskeyProps {
  readonly mfa: Mfa
  readonly onDone: (recoveryCodes: readonly string[]) => void
  readonly onClose: () => void
}

export function AddPasskey({ mfa: { addPasskey }, onDone, onClose }: AddPasskeyProps): ReactNode {
  const { mfa, common } = useMessages()
  const text = useErrorText()
  const { session } = useSignedIn()
  const [label, setLabel] = useState(mfa.passkeyDefault(useDevice()(session)))
  const [password, setPassword] = useState('')
  const [askPassword, setAskPassword] = useState(false)
  const { error, busy, reset } = addPasskey
  // What was refused the last time this was open is over.
  useEffect(reset, [reset])

  const submit = async (): Promise<void> => {
    if (askPassword && password === '') return
    const outcome = await addPasskey.run({ label: label.trim(), ...(password === '' ? {} : { password }) })
    if (outcome.ok) onDone(outcome.value.recoveryCodes)
    else if (asksForPassword(outcome.error)) setAskPassword(true)
  }
  return (
    <Dialog
      size="sm"
      title={mfa.passkeyTitle}
      description={mfa.passkeyText}
      onClose={onClose}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={busy}
            disabled={askPassword && password === ''}
            icon={<Fingerprint size={16} aria-hidden="true" />}
          >
            {mfa.passkeyMake}
          </Button>
        </>
      }
    >
      <TextField
        label={mfa.passkeyName}
        hint={mfa.passkeyNameHint}
        maxLength={100}
        value={label}
        onChange={(event) => setLabel(event.target.value)}
      />
      {askPassword && (
        <AskPassword
          value={password}
          onChange={setPassword}
          error={asksForPassword(error) && addPasskey.input?.password !== undefined ? error : undefined}
        />
      )}
      {error !== undefined && !asksForPassword(error) && error.code !== 'STEP_UP_CANCELLED' && (
        <Callout tone={error.code === 'PASSKEY_CANCELLED' ? 'info' : 'danger'} role="alert">
          {text(error)}
        </Callout>
      )}
    </Dialog>
  )
}
