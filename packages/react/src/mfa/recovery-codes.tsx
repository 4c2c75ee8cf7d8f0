/**
 * Recovery codes, shown the one time that they can be.
 *
 * @module
 */

import { Download } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Dialog } from '../ui/dialog.tsx'

export interface RecoveryCodesProps {
  readonly codes: readonly string[]
  readonly onClose: () => void
}

export function RecoveryCodes({ codes, onClose }: RecoveryCodesProps): ReactNode {
  const { mfa, common } = useMessages()
  const text = `${codes.join('\n')}\n`
  return (
    <Dialog
      persistent
      title={mfa.codesTitle}
      description={mfa.codesText}
      onClose={onClose}
      onSubmit={onClose}
      foot={
        <Button type="submit" variant="primary">
          {mfa.codesKept}
        </Button>
      }
    >
      <ul className="sp-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="sp-row">
        <CopyButton text={text} />
        <Button
          size="sm"
          icon={<Download size={14} aria-hidden="true" />}
          onClick={() => keepAsFile(text, mfa.codesFile)}
        >
          {common.download}
        </Button>
      </div>
    </Dialog>
  )
}

function keepAsFile(text: string, name: string): void {
  const link = document.createElement('a')
  // Not a blob: an address that holds the codes itself leaves nothing behind to be revoked.
  link.href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`
  link.download = name
  link.click()
}
