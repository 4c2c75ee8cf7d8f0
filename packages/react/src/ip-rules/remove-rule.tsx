/**
 * Removes a rule, with a look at whom that would cut off.
 *
 * @module
 */

import type { IpRule } from '@sallyport/client'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { IpRulesState } from '../hooks/use-ip-rules.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Callout } from '../ui/surface.tsx'
import { LockOut, Preview } from './preview.tsx'
import { useLockOut } from './use-lock-out.ts'

export interface RemoveRuleProps {
  readonly rules: IpRulesState
  readonly rule: IpRule
  readonly onClose: () => void
}

export function RemoveRule({ rules: { remove }, rule, onClose }: RemoveRuleProps): ReactNode {
  const { ipRules: texts, common } = useMessages()
  const text = useErrorText()
  const { preview, locksOut, force, setForce } = useLockOut({ ruleId: rule.id }, remove)
  const close = (): void => {
    remove.reset()
    onClose()
  }
  const submit = async (): Promise<void> => {
    if ((await remove.run({ ruleId: rule.id, ...(force ? { force } : {}) })).ok) onClose()
  }
  return (
    <Dialog
      size="sm"
      title={texts.removeTitle}
      description={rule.label === null ? rule.cidr : `${rule.cidr}: ${rule.label}`}
      onClose={close}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={close}>{common.cancel}</Button>
          <Button type="submit" variant="danger" busy={remove.busy} disabled={locksOut && !force}>
            {texts.remove}
          </Button>
        </>
      }
    >
      <Preview preview={preview} asked />
      {locksOut && <LockOut force={force} onForce={setForce} />}
      {remove.error !== undefined && !locksOut && remove.error.code !== 'STEP_UP_CANCELLED' && (
        <Callout tone="danger" role="alert">
          {text(remove.error)}
        </Callout>
      )}
    </Dialog>
  )
}
