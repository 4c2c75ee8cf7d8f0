/**
 * The signals behind a score, and everything else that was recorded.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { useMessages, wordFor } from '@sallyport/react'
import { Badge, buttonClass, Card } from '@sallyport/react/ui'
import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { TimelineEvent } from './timeline.tsx'

interface Signal {
  readonly signal: string
  readonly points: number
  readonly evidence: Readonly<Record<string, unknown>>
}

/** What was unusual, with the points that it counted and what was seen. */
export function Signals({ details }: { readonly details: CaseFile['details'] }): ReactNode {
  const { signals: words } = useMessages()
  const signals = signalsOf(details['signals'])
  if (signals.length === 0) return null
  return (
    <Card className="sp-scope" title="What was unusual" description="Each signal with its points, and what it rests on">
      <ul className="sp-list">
        {signals.map(({ signal, points, evidence }) => (
          <li key={signal} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
            <span className="w-12 shrink-0">
              <Badge tone="danger">+{points}</Badge>
            </span>
            <span className="min-w-[170px] font-medium">{wordFor(words, signal)}</span>
            <span className="min-w-0 flex-1 text-sm break-words text-faint">
              {Object.entries(evidence)
                .map(([name, value]) => `${wordFor({}, spaced(name))}: ${textOf(value)}`)
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function signalsOf(value: unknown): readonly Signal[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (one: unknown): one is Signal =>
      typeof one === 'object' && one !== null && 'signal' in one && 'points' in one && 'evidence' in one,
  )
}

/** The record as it is, for whoever does not trust the picture. */
export function Evidence({ file }: { readonly file: CaseFile }): ReactNode {
  const { incident, events, details, complete } = file
  return (
    <Card
      className="sp-scope"
      title="The record"
      description="What the picture above is drawn from"
      actions={
        incident.userId !== null && (
          <Link to={`/audit?userId=${incident.userId}`} className={buttonClass({ size: 'sm' })}>
            Audit log
          </Link>
        )
      }
    >
      <ul className="sp-list">
        <li>
          <Fold title="Evidence as it was written">
            <dl className="sp-definitions">
              {Object.entries(details).map(([name, value]) => (
                <Detail key={name} name={name} value={value} />
              ))}
            </dl>
          </Fold>
        </li>
        <li>
          <Fold
            title={`${events.length} events around it`}
            more={complete ? 'A day before to a day after' : 'Not all: the audit log has the rest'}
          >
            <ol className="flex flex-col gap-3">
              {events.map((event) => (
                <TimelineEvent key={event.id} action={{ ...event, attributedBy: null }} />
              ))}
            </ol>
          </Fold>
        </li>
      </ul>
    </Card>
  )
}

interface FoldProps {
  readonly title: string
  readonly more?: string
  readonly children: ReactNode
}

function Fold({ title, more, children }: FoldProps): ReactNode {
  return (
    <details className="group">
      <summary className="focus-inset flex min-h-11 cursor-pointer list-none flex-wrap items-center gap-x-2.5 px-4 py-2 text-sm hover:bg-hover [&::-webkit-details-marker]:hidden">
        <ChevronRight
          size={15}
          aria-hidden="true"
          className="shrink-0 text-faint transition-[rotate] group-open:rotate-90"
        />
        <span className="font-medium">{title}</span>
        {more !== undefined && <span className="text-faint">{more}</span>}
      </summary>
      <div className="px-4 pt-1 pb-4 sm:pl-10">{children}</div>
    </details>
  )
}

function Detail({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  return (
    <>
      <dt>{wordFor({}, spaced(name))}</dt>
      <dd className="sp-mono sp-tiny">{textOf(value)}</dd>
    </>
  )
}

function spaced(name: string): string {
  return name.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
