/**
 * The tenant's own limits and switches. They can only be tighter than the service's.
 *
 * @module
 */

import type { SettingsChange, SettingsState } from '@sallyport/react'
import { useFieldErrors, usePermission, useSallyport, useSettings } from '@sallyport/react'
import { Button, Callout, Card, CardBody, Check, LoadFailure, SelectField, Skeleton } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Page as Frame } from '../../parts/page.tsx'

export function Page(): ReactNode {
  const settings = useSettings()
  const { data, error } = settings
  return (
    <Frame
      title="Tenant settings"
      description="Limits and switches of this tenant. They may only tighten what the service allows."
    >
      {data === undefined && error !== undefined ? (
        <Card className="sp-scope">
          <LoadFailure of={settings} />
        </Card>
      ) : data === undefined ? (
        <Card className="sp-scope" title="Limits and switches">
          <CardBody className="sp-stack">
            {Array.from({ length: 6 }, (_, at) => (
              <Skeleton key={at} height={52} />
            ))}
          </CardBody>
        </Card>
      ) : (
        // What was typed is about the settings that were shown: other ones begin anew.
        <Form key={JSON.stringify(data)} settings={settings} data={data} />
      )}
    </Frame>
  )
}

type Settings = NonNullable<SettingsState['data']>

const HOUR = 3600
const DAY = 86_400
const IDLE = [15 * 60, 30 * 60, HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY]
const LIFE = [4 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY]

interface FormProps {
  readonly settings: SettingsState
  readonly data: Settings
}

function Form({ settings: { change }, data }: FormProps): ReactNode {
  const { notify } = useSallyport()
  const canEdit = usePermission('SETTINGS_SECURITY_EDIT')
  const [idle, setIdle] = useState(data.session.idle)
  const [maxLife, setMaxLife] = useState(data.session.maxLife)
  const [monitor, setMonitor] = useState(data.ipRules.mode === 'monitor')
  const [readOnly, setReadOnly] = useState(data.impersonation.readOnly)
  const [tell, setTell] = useState(data.impersonation.notify)
  const [emailCodes, setEmailCodes] = useState(data.stepUp.emailCodes)
  const [force, setForce] = useState(false)
  const errors = useFieldErrors(change, [
    'session.idle',
    'session.maxLife',
    'impersonation.readOnly',
    'stepUp.emailCodes',
  ])
  const locksOut = change.error?.code === 'WOULD_LOCK_OUT' || force

  const draft: SettingsChange = {
    ...(idle === data.session.idle && maxLife === data.session.maxLife ? {} : { session: { idle, maxLife } }),
    ...(monitor === (data.ipRules.mode === 'monitor') ? {} : { ipRules: { mode: monitor ? 'monitor' : 'enforce' } }),
    ...(readOnly === data.impersonation.readOnly && tell === data.impersonation.notify
      ? {}
      : { impersonation: { readOnly, notify: tell } }),
    ...(emailCodes === data.stepUp.emailCodes ? {} : { stepUp: { emailCodes } }),
  }
  const isChanged = Object.keys(draft).length > 0
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ ...draft, ...(force ? { force } : {}) })
    if (outcome.ok) notify('Settings saved. They hold from the next request on.')
  }
  return (
    <form
      noValidate
      className="sp-scope flex flex-col gap-5"
      onSubmit={(event) => {
        event.preventDefault()
        if (isChanged) void submit()
      }}
    >
      <Card title="Sessions" description="How long somebody stays signed in.">
        <CardBody className="grid gap-4 sm:grid-cols-2">
          <DurationField
            label="Idle for at most"
            hint={`Holds now: ${duration(data.effective.idle)}`}
            value={idle}
            choices={IDLE}
            disabled={!canEdit}
            error={errors.of('session.idle')}
            onChange={(value) => {
              setIdle(value)
              errors.clear('session.idle')
            }}
          />
          <DurationField
            label="Signed in for at most"
            hint={`Holds now: ${duration(data.effective.maxLife)}`}
            value={maxLife}
            choices={LIFE}
            disabled={!canEdit}
            error={errors.of('session.maxLife')}
            onChange={(value) => {
              setMaxLife(value)
              errors.clear('session.maxLife')
            }}
          />
        </CardBody>
      </Card>
      <Card title="IP rules">
        <CardBody>
          <Check
            label="Only watch"
            hint="The rules refuse nobody: what they would have refused is recorded in the audit log. Good for trying rules out."
            checked={monitor}
            disabled={!canEdit}
            onChange={(event) => {
              setMonitor(event.target.checked)
              setForce(false)
              change.reset()
            }}
          />
        </CardBody>
      </Card>
      <Card title="Impersonation">
        <CardBody className="sp-stack">
          <Check
            label="Read-only"
            hint={
              data.effective.impersonationReadOnly && !data.impersonation.readOnly
                ? 'It is on for the whole service, and cannot be turned off here.'
                : 'Whoever acts as another can look, and change nothing.'
            }
            checked={readOnly || data.effective.impersonationReadOnly}
            disabled={!canEdit || (data.effective.impersonationReadOnly && !data.impersonation.readOnly)}
            onChange={(event) => {
              setReadOnly(event.target.checked)
              errors.clear('impersonation.readOnly')
            }}
          />
          <Check
            label="Tell people by mail"
            hint="Whoever is acted as learns of it at once, with the name and the reason."
            checked={tell}
            disabled={!canEdit}
            onChange={(event) => setTell(event.target.checked)}
          />
        </CardBody>
      </Card>
      <Card title="Second factors">
        <CardBody>
          <Check
            label="Codes by mail"
            hint={
              data.effective.emailCodes || !data.stepUp.emailCodes
                ? 'Whoever has enrolled nothing may step up by a code from their mailbox. Without it they enrol a factor first.'
                : 'They are off for the whole service, and cannot be turned on here.'
            }
            checked={emailCodes && (data.effective.emailCodes || !data.stepUp.emailCodes)}
            disabled={!canEdit || (!data.effective.emailCodes && data.stepUp.emailCodes)}
            onChange={(event) => {
              setEmailCodes(event.target.checked)
              errors.clear('stepUp.emailCodes')
            }}
          />
        </CardBody>
      </Card>
      {locksOut && (
        <>
          <Callout tone="danger" title="This would lock you out" role="alert">
            The IP rules that were only watched so far would keep your own address out.
          </Callout>
          <Check label="Do it all the same" checked={force} onChange={(event) => setForce(event.target.checked)} />
        </>
      )}
      {errors.form !== undefined && !locksOut && (
        <Callout tone="danger" role="alert">
          {errors.form}
        </Callout>
      )}
      {canEdit ? (
        <div className="flex items-center gap-3">
          <Button
            type="submit"
            variant={force ? 'danger' : 'primary'}
            busy={change.busy}
            disabled={!isChanged || (locksOut && !force)}
          >
            Save changes
          </Button>
          <span className="text-sm text-faint">{isChanged ? 'Not saved yet' : ''}</span>
        </div>
      ) : (
        <p className="text-sm text-faint">You may look at these and not change them.</p>
      )}
    </form>
  )
}

interface DurationFieldProps {
  readonly label: string
  readonly hint: string
  /** Seconds; null: as the service has it. */
  readonly value: number | null
  readonly choices: readonly number[]
  readonly disabled: boolean
  readonly error: string | undefined
  readonly onChange: (value: number | null) => void
}

function DurationField({ label, hint, value, choices, disabled, error, onChange }: DurationFieldProps): ReactNode {
  // What was set by other means stands among the choices.
  const all = value === null || choices.includes(value) ? choices : [...choices, value].sort((a, b) => a - b)
  return (
    <SelectField
      label={label}
      hint={hint}
      value={value ?? ''}
      disabled={disabled}
      error={error}
      onChange={(event) => onChange(event.target.value === '' ? null : Number(event.target.value))}
    >
      <option value="">As the service has it</option>
      {all.map((seconds) => (
        <option key={seconds} value={seconds}>
          {duration(seconds)}
        </option>
      ))}
    </SelectField>
  )
}

function duration(seconds: number): string {
  const [count, unit] =
    seconds % DAY === 0
      ? [seconds / DAY, 'day']
      : seconds % HOUR === 0
        ? [seconds / HOUR, 'hour']
        : [seconds / 60, 'minute']
  return `${Math.round(count * 10) / 10} ${unit}${count === 1 ? '' : 's'}`
}
