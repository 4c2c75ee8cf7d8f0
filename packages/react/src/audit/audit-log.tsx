/**
 * The audit log: searched, paged, and each event with what changed and the proof that it is sealed.
 *
 * @module
 */

import { ChevronLeft, ChevronRight, ChevronsLeft, RotateCw, ScrollText } from 'lucide-react'
import type { ReactNode } from 'react'
import { useEffect, useRef, useState } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { AuditFilters, AuditLogPages } from '../hooks/use-audit-log.ts'
import { useAuditLog } from '../hooks/use-audit-log.ts'
import { Button } from '../ui/button.tsx'
import { Card, Empty, Failure, Skeleton } from '../ui/surface.tsx'
import { EventRow } from './event-row.tsx'
import type { Person } from './filter-bar.tsx'
import { FilterBar } from './filter-bar.tsx'

export interface AuditLogProps {
  readonly title?: ReactNode
  readonly description?: ReactNode
  /** What is looked for, where the host keeps it (in the address of the page). Else the component does. */
  readonly filters?: AuditFilters
  readonly onFiltersChange?: (filters: AuditFilters) => void
  /** Whose events can be chosen. An empty list keeps the place for those who are still being asked for. */
  readonly people?: readonly Person[]
  /** How many events a page holds. Defaults to 25. */
  readonly pageSize?: number
}

/** The audit log of the tenant. */
export function AuditLog({
  title,
  description,
  filters: given,
  onFiltersChange,
  people,
  pageSize = 25,
}: AuditLogProps): ReactNode {
  const { audit: texts, common } = useMessages()
  const [filters, setFilters] = useState<AuditFilters>(given ?? {})
  const log = useAuditLog({ filters, pageSize })
  // Where the host keeps them they come back later than the next choice can be made: only what comes from elsewhere counts.
  const told = useRef(JSON.stringify(given ?? {}))
  const wanted = JSON.stringify(given ?? {})
  useEffect(() => {
    if (given === undefined || wanted === told.current) return
    told.current = wanted
    setFilters(given)
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `wanted` is `given`, compared by what is in it
  }, [wanted])
  const search = (next: AuditFilters): void => {
    setFilters(next)
    told.current = JSON.stringify(next)
    onFiltersChange?.(next)
  }
  return (
    <Card
      className="sp-scope"
      title={title ?? texts.title}
      description={description ?? texts.text}
      actions={
        <Button
          size="sm"
          variant="ghost"
          iconOnly
          aria-label={common.refresh}
          busy={log.refreshing}
          icon={<RotateCw size={15} aria-hidden="true" />}
          onClick={log.newest}
        />
      }
    >
      <FilterBar filters={filters} people={people} onChange={search} />
      <Events log={log} pageSize={pageSize} onRelated={(correlationId) => search({ correlationId })} />
    </Card>
  )
}

interface EventsProps {
  readonly log: AuditLogPages
  readonly pageSize: number
  readonly onRelated: (correlationId: string) => void
}

function Events({ log, pageSize, onRelated }: EventsProps): ReactNode {
  const { audit: texts } = useMessages()
  const text = useErrorText()
  const { events, loading, error, reload, refreshing } = log
  const [open, setOpen] = useState<string | undefined>(undefined)
  if (error !== undefined && events.length === 0) {
    return <Failure text={text(error)} onRetry={reload} busy={refreshing} />
  }
  if (!loading && events.length === 0) {
    return <Empty icon={<ScrollText size={22} aria-hidden="true" />} title={texts.emptyTitle} text={texts.emptyText} />
  }
  return (
    <>
      <table className="sp-table sp-events" aria-busy={loading}>
        <thead>
          <tr>
            <th scope="col">{texts.event}</th>
            <th scope="col" className="sp-col-who">
              {texts.who}
            </th>
            <th scope="col" className="sp-col-where">
              {texts.where}
            </th>
            <th scope="col" className="sp-col-when">
              {texts.when}
            </th>
            <th scope="col" className="sp-col-seal">
              <span className="sp-visually-hidden">{texts.seal}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {loading
            ? Array.from({ length: pageSize }, (_, at) => <SkeletonRow key={at} at={at} />)
            : events.map((event) => (
                <EventRow
                  key={event.id}
                  event={event}
                  open={open === event.id}
                  onToggle={() => setOpen(open === event.id ? undefined : event.id)}
                  onRelated={onRelated}
                />
              ))}
        </tbody>
      </table>
      <Pager log={log} />
    </>
  )
}

function SkeletonRow({ at }: { readonly at: number }): ReactNode {
  return (
    <tr className="sp-event">
      <td>
        <Skeleton width={`${[58, 44, 66, 50][at % 4]}%`} height={18} />
      </td>
      <td className="sp-col-who">
        <Skeleton width="70%" />
      </td>
      <td className="sp-col-where">
        <Skeleton width="80%" />
      </td>
      <td className="sp-col-when">
        <Skeleton width="80%" />
      </td>
      <td className="sp-col-seal">
        <Skeleton width={16} height={16} round />
      </td>
    </tr>
  )
}

function Pager({ log }: { readonly log: AuditLogPages }): ReactNode {
  const { audit: texts } = useMessages()
  const { page, hasOlder, loading, refreshing } = log
  return (
    <nav className="sp-pager" aria-label={texts.pages}>
      <span className="sp-faint sp-small sp-num" aria-live="polite">
        {!loading && !hasOlder && !refreshing ? texts.end : texts.page(page)}
      </span>
      <span className="sp-row">
        <Button
          size="sm"
          variant="ghost"
          disabled={page === 1}
          icon={<ChevronsLeft size={15} aria-hidden="true" />}
          onClick={log.newest}
        >
          {texts.newest}
        </Button>
        <Button size="sm" disabled={page === 1} icon={<ChevronLeft size={15} aria-hidden="true" />} onClick={log.newer}>
          {texts.newer}
        </Button>
        <Button size="sm" disabled={!hasOlder} busy={refreshing && page > 1} onClick={log.older}>
          {texts.older}
          <ChevronRight size={15} aria-hidden="true" />
        </Button>
      </span>
    </nav>
  )
}
