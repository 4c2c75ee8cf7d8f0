/**
 * Adds a rule or changes one, with a look at whom it would cut off before it does.
 *
 * @module
 */

import type { IpRule } from '@sallyport/client'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useMessages } from '../context.ts'
import { useFieldErrors } from '../hooks/field-errors.ts'
import type { IpRulesState } from '../hooks/use-ip-rules.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Check, TextField } from '../ui/field.tsx'
import { Callout } from '../ui/surface.tsx'
import { LockOut, Preview } from './preview.tsx'
import { useLockOut } from './use-lock-out.ts'
import { useSettled } from './use-settled.ts'

/** A rule that is proposed, to be looked at before it is added. */
export interface RuleProposal {
  readonly type: IpRule['type']
  readonly cidr: string
  readonly label?: string
}

export interface RuleFormProps {
  readonly rules: IpRulesState
  /** The rule that is changed; a new one where it is left out. */
  readonly rule?: IpRule
  /** What a new rule begins with. */
  readonly proposal?: RuleProposal
  readonly onClose: () => void
}

export function RuleForm({ rules, rule, proposal, onClose }: RuleFormProps): ReactNode {
  const { ipRules: texts, common } = useMessages()
  const [type, setType] = useState<IpRule['type']>(rule?.type ?? proposal?.type ?? 'ALLOW')
  const [cidr, setCidr] = useState(rule?.cidr ?? proposal?.cidr ?? '')
  const [label, setLabel] = useState(rule?.label ?? proposal?.label ?? '')
  const [expires, setExpires] = useState(rule?.expiresAt == null ? '' : localInput(new Date(rule.expiresAt)))
  const action = rule === undefined ? rules.add : rules.change
  const errors = useFieldErrors(action, ['type', 'cidr', 'label', 'expiresAt'])

  const draft = {
    type,
    cidr: cidr.trim(),
    label: label.trim() === '' ? null : label.trim(),
    // What the field holds while it is typed into can be no date yet.
    expiresAt: instantOf(expires),
  }
  const settled = useSettled(cidr.trim())
  // What is typed further is another rule than the one that was looked at.
  const proposed = looksWhole(settled) && settled === draft.cidr
  const { preview, locksOut, force, setForce } = useLockOut(
    proposed ? { ...(rule && { ruleId: rule.id }), ...draft } : undefined,
    action,
  )

  /** What was refused was about another rule than the one that stands there now. */
  const changed = (field: string): void => {
    setForce(false)
    errors.clear(field)
    if (action.error?.code === 'WOULD_LOCK_OUT') action.reset()
  }
  const close = (): void => {
    action.reset()
    onClose()
  }
  const submit = async (): Promise<void> => {
    if (draft.cidr === '') return
    const forced = force ? { force } : {}
    const outcome =
      rule === undefined
        ? await rules.add.run({ ...draft, ...forced })
        : await rules.change.run({ ruleId: rule.id, ...draft, ...forced })
    if (outcome.ok) onClose()
  }
  return (
    <Dialog
      title={rule === undefined ? texts.addTitle : texts.editTitle}
      onClose={close}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={close}>{common.cancel}</Button>
          <Button
            type="submit"
            variant={force ? 'danger' : 'primary'}
            busy={action.busy}
            disabled={draft.cidr === '' || (locksOut && !force)}
          >
            {rule === undefined ? texts.saveAdd : texts.saveEdit}
          </Button>
        </>
      }
    >
      <fieldset className="sp-stack-sm">
        <legend className="sp-label">{texts.type}</legend>
        <Check
          type="radio"
          name="type"
          label={texts.allow}
          hint={texts.allowText}
          checked={type === 'ALLOW'}
          onChange={() => {
            setType('ALLOW')
            changed('type')
          }}
        />
        <Check
          type="radio"
          name="type"
          label={texts.deny}
          hint={texts.denyText}
          checked={type === 'DENY'}
          onChange={() => {
            setType('DENY')
            changed('type')
          }}
        />
      </fieldset>
      <TextField
        label={texts.cidr}
        hint={texts.cidrHint}
        error={errors.of('cidr')}
        value={cidr}
        onChange={(event) => {
          setCidr(event.target.value)
          changed('cidr')
        }}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        required
      />
      <div className="sp-fields">
        <TextField
          label={texts.label}
          optional
          hint={texts.labelHint}
          error={errors.of('label')}
          maxLength={200}
          value={label}
          onChange={(event) => {
            setLabel(event.target.value)
            errors.clear('label')
          }}
        />
        <TextField
          label={texts.expires}
          optional
          hint={texts.expiresHint}
          error={errors.of('expiresAt')}
          type="datetime-local"
          value={expires}
          onChange={(event) => {
            setExpires(event.target.value)
            changed('expiresAt')
          }}
        />
      </div>
      <Preview preview={preview} asked={proposed} />
      {locksOut && <LockOut force={force} onForce={setForce} />}
      {errors.form !== undefined && !locksOut && (
        <Callout tone="danger" role="alert">
          {errors.form}
        </Callout>
      )}
    </Dialog>
  )
}

/** A moment as the browser's own field takes it: local, without a zone, to the minute. */
function localInput(instant: Date): string {
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function instantOf(text: string): string | null {
  const instant = new Date(text)
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString()
}

/** Whether it is worth asking the service about: what is half typed is no address yet. */
function looksWhole(cidr: string): boolean {
  return (
    /^(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?$/.test(cidr) ||
    /^[\da-f:.]*:[\da-f:.]*:[\da-f:.]*(?:\/\d{1,3})?$/i.test(cidr)
  )
}
