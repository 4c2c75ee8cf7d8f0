/**
 * What is left to do, and what is done already.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { usePermission, useSallyport, useTeam } from '@sallyport/react'
import { Button, buttonClass, Card, Confirm } from '@sallyport/react/ui'
import { Circle, CircleCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'react-router'

type Step = CaseFile['advice'][number]

export function Advice({ file }: { readonly file: CaseFile }): ReactNode {
  if (file.advice.length === 0) return null
  return (
    <Card className="sp-scope" title="What to do next" description="In the order in which it helps most">
      <ol className="sp-list">
        {file.advice.map((step) => (
          <li key={step.code}>
            <StepItem step={step} file={file} />
          </li>
        ))}
      </ol>
    </Card>
  )
}

function StepItem({ step, file }: { readonly step: Step; readonly file: CaseFile }): ReactNode {
  const { title, text } = wordsFor(step.code, file)
  const isDone = step.done === true
  const Icon = isDone ? CircleCheck : Circle
  return (
    <div className="sp-item sp-item-compact items-start!">
      <Icon
        size={18}
        role="img"
        aria-label={isDone ? 'Done' : 'To do'}
        className={`mt-0.5 ${isDone ? 'text-accent' : 'text-faint'}`}
      />
      <div className="sp-item-text">
        <p className={`text-sm font-medium ${isDone ? 'text-faint' : ''}`}>{title}</p>
        <p className="text-sm text-faint">{text}</p>
      </div>
      <div className="sp-item-actions">{!isDone && <Act step={step} file={file} />}</div>
    </div>
  )
}

function wordsFor(code: Step['code'], file: CaseFile): { readonly title: string; readonly text: string } {
  const name = file.incident.userName ?? 'the member'
  const other = file.branches.find(({ kind }) => kind === 'other')
  switch (code) {
    case 'ask_person':
      return {
        title: `Ask ${name} whether both were them`,
        text: 'By phone or in person: whoever holds the session may hold the mailbox too.',
      }
    case 'review_actions':
      return { title: 'Look at what was done', text: 'What succeeded has to be undone by hand.' }
    case 'force_logout':
      return { title: `Force ${name} out`, text: 'Every session and every token of theirs in this tenant.' }
    case 'reset_password':
      return { title: 'Have the password changed', text: 'Where the session went, the password may have gone too.' }
    case 'enrol_factor':
      return {
        title: `Have ${name} add a second factor`,
        text: 'With one, a stolen session cannot do what matters. A passkey cannot be phished.',
      }
    case 'check_device':
      return { title: 'Check the device', text: 'Tokens are stolen by malware and by extensions of browsers.' }
    case 'block_address':
      return {
        title: other?.ipAddress == null ? 'Block the address' : `Block ${other.ipAddress}`,
        text: 'An IP rule keeps it out, for everybody.',
      }
    case 'bind_key':
      return {
        title: 'Bind sessions to a key',
        text: 'A token that is bound to the browser’s key is worth nothing elsewhere. The client SDK does it where it can.',
      }
    default:
      return { title: code, text: '' }
  }
}

function Act({ step: { code }, file }: { readonly step: Step; readonly file: CaseFile }): ReactNode {
  const canEdit = usePermission('SETTINGS_SECURITY_EDIT')
  const { incident, branches } = file
  const link = buttonClass({ size: 'sm' })
  const other = branches.find(({ kind }) => kind === 'other')
  if (code === 'review_actions' && incident.sessionId !== null) {
    return (
      <Link to={`/audit?sessionId=${incident.sessionId}`} className={link}>
        Audit log
      </Link>
    )
  }
  if (code === 'force_logout' && canEdit && incident.userId !== null) return <ForceOut file={file} />
  if (code === 'block_address' && canEdit && other?.ipAddress != null) {
    const label = encodeURIComponent(`Used a stolen token of ${incident.userName ?? 'a member'}`)
    return (
      <Link to={`/ip-rules?deny=${encodeURIComponent(other.ipAddress)}&label=${label}`} className={link}>
        Add rule
      </Link>
    )
  }
  return null
}

function ForceOut({ file: { incident } }: { readonly file: CaseFile }): ReactNode {
  const { notify } = useSallyport()
  const { forceLogout } = useTeam({ enabled: false })
  const [asking, setAsking] = useState(false)
  const name = incident.userName ?? 'the member'
  return (
    <>
      <Button size="sm" variant="danger-quiet" onClick={() => setAsking(true)}>
        Force out
      </Button>
      {asking && (
        <Confirm
          title={`Force ${name} out?`}
          text="Every session and every token of theirs in this tenant is dead at once. They can sign in again."
          confirm="Force out"
          action={forceLogout}
          input={incident.userId ?? ''}
          onDone={({ sessionsEnded }) =>
            notify(sessionsEnded === 1 ? '1 session ended' : `${sessionsEnded} sessions ended`)
          }
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
