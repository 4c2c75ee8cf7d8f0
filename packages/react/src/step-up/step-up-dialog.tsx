/**
 * "Verify to continue": asks for the second factor that an action needs, and lets the action go on.
 *
 * @module
 */

import type { Factor, SallyportError, StepUpDemand } from '@sallyport/client'
import { getPasskey, hasPasskeys } from '@sallyport/client'
import { Fingerprint, KeyRound, LifeBuoy, Mail, Smartphone } from 'lucide-react'
import type { ReactNode } from 'react'
import { useId, useState } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import { useAction } from '../hooks/use-action.ts'
import { useStepUp } from '../hooks/use-step-up.ts'
import { wordFor } from '../messages/messages.ts'
import { Button } from '../ui/button.tsx'
import { CodeField } from '../ui/code-field.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Callout } from '../ui/surface.tsx'

/** Opens by itself when an action needs a second factor. `SallyportProvider` renders one. */
export function StepUpDialog(): ReactNode {
  const demand = useStepUp()
  // A new demand begins from nothing: no code typed for one purpose is ever shown for another.
  return demand === undefined ? null : <StepUp key={keyOf(demand)} demand={demand} />
}

const keys = new WeakMap<StepUpDemand, number>()
let demandsSeen = 0

function keyOf(demand: StepUpDemand): number {
  const known = keys.get(demand)
  if (known !== undefined) return known
  demandsSeen += 1
  keys.set(demand, demandsSeen)
  return demandsSeen
}

/** The quickest and strongest first. */
const PREFERENCE: readonly Factor[] = ['passkey', 'totp', 'email_code', 'recovery_code']

const ICONS = { totp: Smartphone, passkey: Fingerprint, recovery_code: LifeBuoy, email_code: Mail }

function StepUp({ demand }: { readonly demand: StepUpDemand }): ReactNode {
  const { stepUp, signals } = useMessages()
  const factors = PREFERENCE.filter((factor) => demand.factors.includes(factor))
  const [factor, setFactor] = useState<Factor | undefined>(
    () => factors.find((one) => one !== 'passkey' || hasPasskeys()) ?? factors[0],
  )
  const [code, setCode] = useState('')
  const [sent, setSent] = useState(false)
  const form = useId()
  const send = useAction(() => demand.emailCode())
  const verify = useAction(async () => {
    if (factor === undefined) return
    if (factor === 'passkey') {
      const assertion = await getPasskey(await demand.passkeyOptions())
      await demand.verify({ factor, assertion })
    } else {
      await demand.verify({ factor, code: code.replaceAll(/\s/g, '') })
    }
  })

  const choose = (next: Factor): void => {
    setFactor(next)
    setCode('')
    verify.reset()
    send.reset()
  }
  const submit = async (): Promise<void> => {
    if (!isComplete(factor, code) || verify.busy) return
    const outcome = await verify.run()
    // A code is spent by being tried: the next try is another one.
    if (!outcome.ok && outcome.error.code === 'INVALID_OTP') setCode('')
  }
  const sendCode = async (): Promise<void> => {
    if ((await send.run()).ok) setSent(true)
  }

  const reasons = demand.reasons?.map((reason) => wordFor(signals, reason)).join(', ')
  return (
    <Dialog
      size="sm"
      title={stepUp.title}
      description={Object.hasOwn(stepUp.texts, demand.purpose) ? stepUp.texts[demand.purpose] : stepUp.otherText}
      onClose={() => demand.cancel()}
      onSubmit={() => void submit()}
      foot={
        <StepUpButtons
          factor={factor}
          complete={isComplete(factor, code) && (factor !== 'email_code' || sent)}
          busy={verify.busy}
          onCancel={() => demand.cancel()}
        />
      }
    >
      {reasons !== undefined && reasons !== '' && <Callout tone="warn">{stepUp.why(reasons)}</Callout>}
      {factor === undefined ? (
        <Callout tone="warn">{stepUp.noFactor}</Callout>
      ) : (
        <Proof
          factor={factor}
          code={code}
          onCode={(next) => {
            setCode(next)
            if (verify.error !== undefined) verify.reset()
          }}
          sent={sent}
          sending={send.busy}
          onSend={() => void sendCode()}
          error={verify.error ?? send.error}
        />
      )}
      <OtherWays id={form} factors={factors} chosen={factor} onChoose={choose} />
    </Dialog>
  )
}

function isComplete(factor: Factor | undefined, code: string): boolean {
  const typed = code.replaceAll(/[\s-]/g, '')
  if (factor === 'passkey') return hasPasskeys()
  if (factor === 'totp') return /^\d{6}$/.test(typed)
  if (factor === 'email_code') return /^\d{8}$/.test(typed)
  return factor === 'recovery_code' && typed.length >= 8
}

interface StepUpButtonsProps {
  readonly factor: Factor | undefined
  readonly complete: boolean
  readonly busy: boolean
  readonly onCancel: () => void
}

function StepUpButtons({ factor, complete, busy, onCancel }: StepUpButtonsProps): ReactNode {
  const { common, stepUp } = useMessages()
  return (
    <>
      <Button onClick={onCancel}>{common.cancel}</Button>
      {factor !== undefined && (
        <Button
          type="submit"
          variant="primary"
          busy={busy}
          disabled={!complete}
          icon={factor === 'passkey' ? <Fingerprint size={16} aria-hidden="true" /> : undefined}
        >
          {factor === 'passkey' ? stepUp.passkeyUse : stepUp.verify}
        </Button>
      )}
    </>
  )
}

interface ProofProps {
  readonly factor: Factor
  readonly code: string
  readonly onCode: (code: string) => void
  readonly sent: boolean
  readonly sending: boolean
  readonly onSend: () => void
  readonly error: SallyportError | undefined
}

function Proof({ factor, code, onCode, sent, sending, onSend, error }: ProofProps): ReactNode {
  const { stepUp } = useMessages()
  const text = useErrorText()
  const shown = error === undefined ? undefined : text(error)
  if (factor === 'passkey') {
    return (
      <>
        <p className="sp-soft">{hasPasskeys() ? stepUp.passkeyText : stepUp.passkeyUnsupported}</p>
        <div aria-live="polite">{shown !== undefined && <Callout tone="danger">{shown}</Callout>}</div>
      </>
    )
  }
  if (factor === 'email_code' && !sent) {
    return (
      <>
        <p className="sp-soft">{stepUp.emailSendText}</p>
        <Button wide busy={sending} icon={<Mail size={16} aria-hidden="true" />} onClick={onSend}>
          {stepUp.emailSend}
        </Button>
        <div aria-live="polite">{shown !== undefined && <Callout tone="danger">{shown}</Callout>}</div>
      </>
    )
  }
  const labels = {
    totp: [stepUp.codeLabel, stepUp.codeHint],
    email_code: [stepUp.emailLabel, stepUp.emailHint],
    recovery_code: [stepUp.recoveryLabel, stepUp.recoveryHint],
  } as const
  const [label, hint] = labels[factor]
  return (
    <>
      <CodeField key={factor} kind={factor} label={label} hint={hint} value={code} onChange={onCode} error={shown} />
      {factor === 'email_code' && (
        <div>
          <Button variant="link" busy={sending} onClick={onSend}>
            {stepUp.emailAgain}
          </Button>
        </div>
      )}
    </>
  )
}

interface OtherWaysProps {
  readonly id: string
  readonly factors: readonly Factor[]
  readonly chosen: Factor | undefined
  readonly onChoose: (factor: Factor) => void
}

function OtherWays({ id, factors, chosen, onChoose }: OtherWaysProps): ReactNode {
  const { stepUp, factors: names } = useMessages()
  const others = factors.filter((factor) => factor !== chosen)
  if (others.length === 0) return null
  return (
    <div className="sp-stack-sm" role="group" aria-labelledby={`${id}-ways`}>
      <p className="sp-faint sp-small" id={`${id}-ways`}>
        {stepUp.otherWay}
      </p>
      <div className="sp-row">
        {others.map((factor) => {
          const Icon = ICONS[factor] ?? KeyRound
          return (
            <Button
              key={factor}
              size="sm"
              icon={<Icon size={14} aria-hidden="true" />}
              onClick={() => onChoose(factor)}
            >
              {wordFor(names, factor)}
            </Button>
          )
        })}
      </div>
    </div>
  )
}
