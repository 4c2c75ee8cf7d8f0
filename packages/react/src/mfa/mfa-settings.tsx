/**
 * One's own second factors: what is enrolled, adding, removing, recovery codes.
 *
 * @module
 */

import { hasPasskeys } from '@sallyport/client'
import { Fingerprint, KeyRound, LifeBuoy, ShieldAlert, Smartphone } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useMessages } from '../context.ts'
import { Time } from '../format/time.tsx'
import type { EnrolledFactor, Factors, Mfa } from '../hooks/use-mfa.ts'
import { useMfa } from '../hooks/use-mfa.ts'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { LoadFailure } from '../ui/load-failure.tsx'
import { Badge, Card, Empty, SkeletonItems } from '../ui/surface.tsx'
import { AddPasskey } from './add-passkey.tsx'
import { AddTotp } from './add-totp.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'

type Task =
  | 'totp'
  | 'passkey'
  | 'regenerate'
  | { readonly remove: EnrolledFactor }
  | { readonly show: readonly string[] }

export interface MfaSettingsProps {
  readonly title?: ReactNode
  readonly description?: ReactNode
}

/** The second factors of the person who is signed in. */
export function MfaSettings({ title, description }: MfaSettingsProps): ReactNode {
  const { mfa: texts } = useMessages()
  const mfa = useMfa()
  const [task, setTask] = useState<Task | undefined>(undefined)
  const close = (): void => setTask(undefined)
  const shown = (recoveryCodes: readonly string[]): void =>
    setTask(recoveryCodes.length === 0 ? undefined : { show: recoveryCodes })
  const hasTotp = mfa.data?.factors.some(({ type }) => type === 'totp') ?? false

  return (
    <Card
      className="sp-scope"
      title={title ?? texts.title}
      description={description ?? texts.text}
      actions={
        <>
          <Button
            size="sm"
            disabled={mfa.data === undefined || hasTotp}
            icon={<Smartphone size={14} aria-hidden="true" />}
            onClick={() => setTask('totp')}
          >
            {texts.addTotp}
          </Button>
          <Button
            size="sm"
            disabled={mfa.data === undefined || !hasPasskeys()}
            title={hasPasskeys() ? undefined : texts.passkeyUnsupported}
            icon={<Fingerprint size={14} aria-hidden="true" />}
            onClick={() => setTask('passkey')}
          >
            {texts.addPasskey}
          </Button>
        </>
      }
    >
      <FactorItems mfa={mfa} onRemove={(remove) => setTask({ remove })} onRegenerate={() => setTask('regenerate')} />
      {task === 'totp' && <AddTotp mfa={mfa} onDone={shown} onClose={close} />}
      {task === 'passkey' && <AddPasskey mfa={mfa} onDone={shown} onClose={close} />}
      {task === 'regenerate' && (
        <Confirm
          title={texts.regenerateTitle}
          text={texts.regenerateText}
          confirm={texts.regenerateConfirm}
          variant="primary"
          action={mfa.regenerate}
          input={undefined}
          onDone={({ recoveryCodes }) => shown(recoveryCodes)}
          onClose={close}
        />
      )}
      {typeof task === 'object' && 'remove' in task && (
        <Confirm
          title={texts.removeTitle}
          text={`${task.remove.label}. ${texts.removeText}`}
          confirm={texts.remove}
          action={mfa.remove}
          input={task.remove.id}
          onClose={close}
        />
      )}
      {typeof task === 'object' && 'show' in task && <RecoveryCodes codes={task.show} onClose={close} />}
    </Card>
  )
}

interface FactorItemsProps {
  readonly mfa: Mfa
  readonly onRemove: (factor: EnrolledFactor) => void
  readonly onRegenerate: () => void
}

function FactorItems({ mfa, onRemove, onRegenerate }: FactorItemsProps): ReactNode {
  const { data, loading } = mfa
  const { mfa: texts } = useMessages()
  if (loading) return <SkeletonItems count={2} />
  if (data === undefined) return <LoadFailure of={mfa} />
  if (data.factors.length === 0) {
    return <Empty icon={<ShieldAlert size={22} aria-hidden="true" />} title={texts.emptyTitle} text={texts.emptyText} />
  }
  return (
    <ul className="sp-list">
      {data.factors.map((factor) => (
        <li key={factor.id}>
          <FactorItem factor={factor} onRemove={() => onRemove(factor)} />
        </li>
      ))}
      <li>
        <RecoveryItem data={data} onRegenerate={onRegenerate} />
      </li>
    </ul>
  )
}

const ICONS: Readonly<Record<string, typeof KeyRound>> = { totp: Smartphone, passkey: Fingerprint }

function FactorItem({
  factor,
  onRemove,
}: {
  readonly factor: EnrolledFactor
  readonly onRemove: () => void
}): ReactNode {
  const { mfa: texts } = useMessages()
  const Icon = ICONS[factor.type] ?? KeyRound
  const isLocked = factor.disabledAt !== null
  return (
    <div className="sp-item">
      <span className="sp-item-icon" data-tone={isLocked ? 'danger' : 'ok'}>
        <Icon size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          <span>{factor.label}</span>
          {isLocked && (
            <Badge tone="danger" title={texts.lockedText}>
              {texts.locked}
            </Badge>
          )}
        </p>
        <div className="sp-facts">
          <span>
            {texts.added} <Time value={factor.createdAt} />
          </span>
          <span>
            {factor.lastUsedAt === null ? (
              texts.notUsed
            ) : (
              <>
                {texts.lastUsed} <Time value={factor.lastUsedAt} />
              </>
            )}
          </span>
        </div>
        {isLocked && <p className="sp-small sp-soft">{texts.lockedText}</p>}
      </div>
      <div className="sp-item-actions">
        <Button size="sm" variant="danger-quiet" aria-label={texts.removeLabel(factor.label)} onClick={onRemove}>
          {texts.remove}
        </Button>
      </div>
    </div>
  )
}

const FEW = 3

function RecoveryItem({
  data,
  onRegenerate,
}: {
  readonly data: Factors
  readonly onRegenerate: () => void
}): ReactNode {
  const { mfa: texts } = useMessages()
  const left = data.recoveryCodesLeft
  return (
    <div className="sp-item">
      <span className="sp-item-icon" data-tone={left <= FEW ? 'warn' : undefined}>
        <LifeBuoy size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          <span>{texts.recoveryTitle}</span>
          {left <= FEW && <Badge tone="warn">{texts.recoveryLow}</Badge>}
        </p>
        <div className="sp-facts">
          <span>{texts.recoveryLeft(left)}</span>
        </div>
      </div>
      <div className="sp-item-actions">
        <Button size="sm" onClick={onRegenerate}>
          {texts.regenerate}
        </Button>
      </div>
    </div>
  )
}
