/**
 * Enrols an authenticator app.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect, useRef, useState } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { Mfa, TotpSetup } from '../hooks/use-mfa.ts'
import { Button } from '../ui/button.tsx'
import { CodeField } from '../ui/code-field.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Callout, Skeleton } from '../ui/surface.tsx'
import { AskPassword, asksForPassword } from './ask-password.tsx'

export interface AddTotpProps {
  readonly mfa: Mfa
  readonly onDone: (recoveryCodes: readonly string[]) => void
  readonly onClose: () => void
}

/** Asks the service at once; only where it wants the password is that asked for. */
export function AddTotp({ mfa: { beginTotp, confirmTotp }, onDone, onClose }: AddTotpProps): ReactNode {
  const { mfa, common } = useMessages()
  const [setup, setSetup] = useState<TotpSetup | undefined>(undefined)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const wantsPassword = setup === undefined && (asksForPassword(beginTotp.error) || password !== '')

  const begin = async (): Promise<void> => {
    const outcome = await beginTotp.run(password === '' ? {} : { password })
    if (outcome.ok) setSetup(outcome.value)
    // Cancelled: there is nothing to be shown here.
    else if (outcome.error.code === 'STEP_UP_CANCELLED') onClose()
  }
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    beginTotp.reset()
    confirmTotp.reset()
    void begin()
  })
  const submit = async (): Promise<void> => {
    if (setup === undefined) {
      if (wantsPassword && password !== '') await begin()
      return
    }
    if (code.length !== 6) return
    const outcome = await confirmTotp.run({ factorId: setup.factorId, code })
    if (outcome.ok) onDone(outcome.value.recoveryCodes)
    else if (outcome.error.code === 'INVALID_OTP') setCode('')
  }
  return (
    <Dialog
      title={wantsPassword ? mfa.passwordTitle : mfa.totpTitle}
      description={wantsPassword ? undefined : mfa.totpText}
      onClose={onClose}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          {wantsPassword ? (
            <Button type="submit" variant="primary" busy={beginTotp.busy} disabled={password === ''}>
              {mfa.continue}
            </Button>
          ) : (
            <Button type="submit" variant="primary" busy={confirmTotp.busy} disabled={code.length !== 6}>
              {mfa.totpConfirm}
            </Button>
          )}
        </>
      }
    >
      {wantsPassword ? (
        <AskPassword
          value={password}
          onChange={setPassword}
          error={beginTotp.input?.password === undefined ? undefined : beginTotp.error}
        />
      ) : (
        <Setup setup={setup} code={code} onCode={setCode} begin={beginTotp} confirm={confirmTotp} />
      )}
    </Dialog>
  )
}

interface SetupProps {
  readonly setup: TotpSetup | undefined
  readonly code: string
  readonly onCode: (code: string) => void
  readonly begin: Mfa['beginTotp']
  readonly confirm: Mfa['confirmTotp']
}

function Setup({ setup, code, onCode, begin, confirm }: SetupProps): ReactNode {
  const { mfa } = useMessages()
  const text = useErrorText()
  if (begin.error !== undefined) {
    return (
      <Callout tone="danger" role="alert">
        {text(begin.error)}
      </Callout>
    )
  }
  return (
    <div className="sp-enrol">
      {setup === undefined ? (
        <Skeleton width={168} height={168} />
      ) : (
        // As an image, so that markup from the service never becomes markup of this page.
        <img
          className="sp-qr"
          width={168}
          height={168}
          alt={mfa.totpQr}
          src={`data:image/svg+xml;utf8,${encodeURIComponent(setup.qrSvg)}`}
        />
      )}
      <div className="sp-enrol-text">
        <CodeField
          kind="totp"
          label={mfa.totpCode}
          value={code}
          onChange={onCode}
          error={confirm.error === undefined ? undefined : text(confirm.error)}
        />
        <div className="sp-stack-sm">
          <p className="sp-faint sp-small">{mfa.totpSecret}</p>
          {setup === undefined ? (
            <Skeleton height={40} />
          ) : (
            <div className="sp-secret">
              <code className="sp-mono sp-break">{setup.secret.match(/.{1,4}/g)?.join(' ')}</code>
              <CopyButton text={setup.secret} label={mfa.totpSecret} />
            </div>
          )}
        </div>
      </div>
    </div>
  )
}
