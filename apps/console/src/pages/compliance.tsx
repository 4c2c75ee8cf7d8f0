/**
 * The live checklist: each statement with its verdict, and what the verdict rests on.
 *
 * @module
 */

import type { Checklist, Control } from '@sallyport/react'
import { useChecklist } from '@sallyport/react'
import { Badge, Button, Card, LoadFailure, Segments, Skeleton, Time } from '@sallyport/react/ui'
import { CircleAlert, CircleCheck, CircleX, ChevronRight, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'react-router'
import { ComplianceFrame } from '../parts/compliance-frame.tsx'

type Verdict = Control['verdict']

export function Page(): ReactNode {
  const checklist = useChecklist()
  const { data, error, refreshing, reload } = checklist
  return (
    <ComplianceFrame>
      {data === undefined && error !== undefined ? (
        <Card className="sp-scope">
          <LoadFailure of={checklist} />
        </Card>
      ) : (
        <Controls data={data} refreshing={refreshing} onReload={reload} />
      )}
    </ComplianceFrame>
  )
}

const VERDICTS = {
  fail: { label: 'Fails', icon: CircleX, tone: 'danger', color: 'text-danger' },
  attention: { label: 'Needs attention', icon: CircleAlert, tone: 'warn', color: 'text-warn' },
  pass: { label: 'Passes', icon: CircleCheck, tone: 'ok', color: 'text-accent' },
} as const

/** How many statements there are room for, before they are there. */
const EXPECTED = 33

interface ControlsProps {
  readonly data: Checklist | undefined
  readonly refreshing: boolean
  readonly onReload: () => void
}

function Controls({ data, refreshing, onReload }: ControlsProps): ReactNode {
  const [shown, setShown] = useState<Verdict | 'all'>('all')
  const controls = data?.controls.filter(({ verdict }) => shown === 'all' || verdict === shown)
  return (
    <>
      <ul className="sp-scope grid grid-cols-3 gap-3">
        {(['pass', 'attention', 'fail'] as const).map((verdict) => (
          <VerdictTile key={verdict} verdict={verdict} count={data?.summary[verdict]} />
        ))}
      </ul>
      <Card
        className="sp-scope"
        title="Statements"
        description={
          data === undefined ? (
            'Evaluating…'
          ) : (
            <>
              Evaluated <Time value={data.evaluatedAt} />
            </>
          )
        }
        actions={
          <>
            <Segments
              label="Which statements"
              value={shown}
              onChange={setShown}
              options={[
                { value: 'all', label: 'All' },
                { value: 'attention', label: 'Attention' },
                { value: 'fail', label: 'Failing' },
              ]}
            />
            <Button
              size="sm"
              variant="ghost"
              iconOnly
              aria-label="Evaluate again"
              busy={refreshing}
              icon={<RotateCw size={15} aria-hidden="true" />}
              onClick={onReload}
            />
          </>
        }
      >
        <ul className="sp-list">
          {controls === undefined
            ? Array.from({ length: EXPECTED }, (_, at) => (
                <li key={at} className="flex h-[45px] items-center gap-3 px-4">
                  <Skeleton width={17} height={17} round />
                  <Skeleton width={`${40 + ((at * 7) % 30)}%`} />
                </li>
              ))
            : controls.map((control) => (
                <li key={control.id}>
                  <ControlItem control={control} />
                </li>
              ))}
          {controls?.length === 0 && (
            <li className="px-4 py-8 text-center text-sm text-faint">None: nothing of the kind.</li>
          )}
        </ul>
      </Card>
    </>
  )
}

function VerdictTile({ verdict, count }: { readonly verdict: Verdict; readonly count: number | undefined }): ReactNode {
  const { label, icon: Icon, color } = VERDICTS[verdict]
  return (
    <li className="sp-card flex items-center gap-3 px-4 py-3">
      <Icon size={20} aria-hidden="true" className={`hidden shrink-0 sm:block ${count === 0 ? 'text-faint' : color}`} />
      <span className="min-w-0 leading-tight">
        <span className="sp-num block h-7 text-xl font-semibold">{count ?? <Skeleton width={28} height={22} />}</span>
        <span className="block text-xs text-faint">{label}</span>
      </span>
    </li>
  )
}

function ControlItem({ control }: { readonly control: Control }): ReactNode {
  const { icon: Icon, label, color, tone } = VERDICTS[control.verdict]
  const entries = Object.entries(control.evidence)
  return (
    <details className="group">
      <summary className="focus-inset flex min-h-[45px] cursor-pointer list-none items-center gap-3 px-4 py-2 hover:bg-hover [&::-webkit-details-marker]:hidden">
        <Icon size={17} role="img" aria-label={label} className={`shrink-0 ${color}`} />
        <span className="min-w-0 flex-1 text-sm">{control.statement}</span>
        {control.verdict !== 'pass' && (
          <span className="hidden sm:block">
            <Badge tone={tone}>{label}</Badge>
          </span>
        )}
        <span className="hidden w-28 shrink-0 text-right text-xs text-faint md:block">
          {control.criteria.join(', ')}
        </span>
        <ChevronRight
          size={15}
          aria-hidden="true"
          className="shrink-0 text-faint transition-[rotate] group-open:rotate-90"
        />
      </summary>
      <div className="px-4 pt-1 pb-4 sm:pl-[47px]">
        <dl className="sp-definitions">
          <dt>Criteria</dt>
          <dd>{control.criteria.join(', ')}</dd>
          {entries.map(([name, value]) => (
            <Evidence key={name} name={name} value={value} />
          ))}
        </dl>
        <EvidenceLink link={control.link} />
      </div>
    </details>
  )
}

function Evidence({ name, value }: { readonly name: string; readonly value: Control['evidence'][string] }): ReactNode {
  return (
    <>
      <dt>{words(name)}</dt>
      <dd className="sp-num">{evidenceText(value)}</dd>
    </>
  )
}

/** `lastRunAt` as people read it. */
function words(name: string): string {
  const spaced = name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]/g, ' ')
    .toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

function evidenceText(value: Control['evidence'][string] | undefined): ReactNode {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (typeof value === 'object') return value.length === 0 ? 'None' : value.join(', ')
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return <Time value={value} />
  return String(value)
}

/** Where the evidence is looked at in this console. */
const PLACES: readonly (readonly [under: string, to: string, label: string])[] = [
  ['/audit', '/audit', 'Open the audit log'],
  ['/security/ip-rules', '/ip-rules', 'Open the IP rules'],
  ['/security/settings', '/settings/tenant', 'Open the tenant’s settings'],
  ['/security/impersonations', '/impersonations', 'Open the register of impersonations'],
  ['/security/incidents', '/incidents', 'Open the incidents'],
  ['/security/sessions', '/sessions', 'Open the sessions'],
  ['/compliance/export', '/compliance/exports', 'Open the exports'],
]

function EvidenceLink({ link }: { readonly link: string }): ReactNode {
  const place = PLACES.find(([under]) => link.startsWith(under))
  if (place === undefined) return null
  // What the evidence asks the log for, the page can ask as well.
  const query = place[0] === '/audit' && link.includes('?') ? link.slice(link.indexOf('?')) : ''
  return (
    <p className="mt-3 text-sm">
      <Link to={`${place[1]}${query}`}>{place[2]}</Link>
    </p>
  )
}
