/**
 * From where the tenant may be reached: the rules, and their changes.
 *
 * @module
 */

import type { IpRule } from '@sallyport/client'
import { Globe, Plus, ShieldBan, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useMessages } from '../context.ts'
import { Time, useNow } from '../format/time.tsx'
import type { IpRuleList, IpRulesState } from '../hooks/use-ip-rules.ts'
import { useIpRules } from '../hooks/use-ip-rules.ts'
import { usePermission } from '../hooks/use-session.ts'
import { Button } from '../ui/button.tsx'
import { LoadFailure } from '../ui/load-failure.tsx'
import { Badge, Callout, Card, Empty, SkeletonItems } from '../ui/surface.tsx'
import { RemoveRule } from './remove-rule.tsx'
import type { RuleProposal } from './rule-form.tsx'
import { RuleForm } from './rule-form.tsx'

type Task = 'add' | { readonly edit: IpRule } | { readonly remove: IpRule }

export interface IpRulesProps {
  readonly title?: ReactNode
  readonly description?: ReactNode
  /** Opens the form with this in it. */
  readonly proposal?: RuleProposal | undefined
  /** Told when that form is closed, added or not. */
  readonly onProposalClosed?: () => void
}

/** The IP rules of the tenant. Who may only look sees no buttons. */
export function IpRules({ title, description, proposal, onProposalClosed }: IpRulesProps): ReactNode {
  const { ipRules: texts } = useMessages()
  const canEdit = usePermission('SETTINGS_SECURITY_EDIT')
  const rules = useIpRules()
  const [task, setTask] = useState<Task | undefined>(undefined)
  const close = (): void => setTask(undefined)
  const add = (
    <Button
      size="sm"
      variant="primary"
      disabled={rules.data === undefined}
      icon={<Plus size={14} aria-hidden="true" />}
      onClick={() => setTask('add')}
    >
      {texts.add}
    </Button>
  )
  return (
    <Card
      className="sp-scope"
      title={title ?? texts.title}
      description={description ?? texts.text}
      actions={
        <>
          <Mode rules={rules} />
          {canEdit && add}
        </>
      }
    >
      {rules.data?.mode === 'monitor' && (
        <div className="sp-card-body">
          <Callout tone="warn" title={texts.modeMonitor}>
            {texts.modeMonitorText}
          </Callout>
        </div>
      )}
      <RuleItems
        rules={rules}
        onEdit={canEdit ? (edit) => setTask({ edit }) : undefined}
        onRemove={(remove) => setTask({ remove })}
      />
      {task === 'add' && <RuleForm rules={rules} onClose={close} />}
      {canEdit && proposal !== undefined && (
        <RuleForm rules={rules} proposal={proposal} onClose={() => onProposalClosed?.()} />
      )}
      {typeof task === 'object' && 'edit' in task && <RuleForm rules={rules} rule={task.edit} onClose={close} />}
      {typeof task === 'object' && 'remove' in task && <RemoveRule rules={rules} rule={task.remove} onClose={close} />}
    </Card>
  )
}

function Mode({ rules: { data } }: { readonly rules: IpRulesState }): ReactNode {
  const { ipRules: texts } = useMessages()
  if (data === undefined || data.rules.length === 0) return null
  return data.mode === 'enforce' ? (
    <Badge tone="ok">{texts.modeEnforce}</Badge>
  ) : (
    <Badge tone="warn" title={texts.modeMonitorText}>
      {texts.modeMonitor}
    </Badge>
  )
}

interface RuleItemsProps {
  readonly rules: IpRulesState
  readonly onEdit: ((rule: IpRule) => void) | undefined
  readonly onRemove: (rule: IpRule) => void
}

function RuleItems({ rules, onEdit, onRemove }: RuleItemsProps): ReactNode {
  const { data, loading } = rules
  const { ipRules: texts } = useMessages()
  if (loading) return <SkeletonItems count={3} />
  if (data === undefined) return <LoadFailure of={rules} />
  if (data.rules.length === 0) {
    return <Empty icon={<Globe size={22} aria-hidden="true" />} title={texts.emptyTitle} text={texts.emptyText} />
  }
  return (
    <ul className="sp-list">
      {data.rules.map((rule) => (
        <li key={rule.id}>
          <RuleItem rule={rule} onEdit={onEdit && (() => onEdit(rule))} onRemove={() => onRemove(rule)} />
        </li>
      ))}
    </ul>
  )
}

interface RuleItemProps {
  readonly rule: IpRuleList['rules'][number]
  readonly onEdit: (() => void) | undefined
  readonly onRemove: () => void
}

function RuleItem({ rule, onEdit, onRemove }: RuleItemProps): ReactNode {
  const { ipRules: texts } = useMessages()
  const now = useNow()
  const isAllow = rule.type === 'ALLOW'
  const isOver = rule.expiresAt !== null && new Date(rule.expiresAt) <= now
  const Icon = isAllow ? ShieldCheck : ShieldBan
  return (
    <div className="sp-item">
      <span className="sp-item-icon" data-tone={isOver ? undefined : isAllow ? 'ok' : 'danger'}>
        <Icon size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">
          <span className="sp-mono sp-break">{rule.cidr}</span>
          <Badge tone={isAllow ? 'ok' : 'danger'}>{isAllow ? texts.allow : texts.deny}</Badge>
          {isOver && <Badge>{texts.expired}</Badge>}
        </p>
        <div className="sp-facts">
          {rule.label !== null && <span className="sp-soft">{rule.label}</span>}
          <span>
            {texts.created} <Time value={rule.createdAt} />
            {rule.createdByName !== null && ` ${texts.by(rule.createdByName)}`}
          </span>
          {rule.expiresAt !== null && (
            <span>
              {isOver ? texts.expiredAt : texts.expiresAt} <Time value={rule.expiresAt} />
            </span>
          )}
        </div>
      </div>
      {onEdit !== undefined && (
        <div className="sp-item-actions">
          <Button size="sm" variant="ghost" aria-label={texts.editLabel(rule.cidr)} onClick={onEdit}>
            {texts.edit}
          </Button>
          <Button size="sm" variant="danger-quiet" aria-label={texts.removeLabel(rule.cidr)} onClick={onRemove}>
            {texts.remove}
          </Button>
        </div>
      )}
    </div>
  )
}
