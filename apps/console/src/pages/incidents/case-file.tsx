/**
 * The case file of an incident: what happened, what was contained, and what is left to do.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { useCaseFile, useMessages, wordFor } from '@sallyport/react'
import { Badge, Card, CardBody, Empty, LoadFailure, Skeleton, Time } from '@sallyport/react/ui'
import { ArrowLeft, FileX } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useParams } from 'react-router'
import { Page as Frame } from '../../parts/page.tsx'
import { Advice } from './advice.tsx'
import { Branches } from './branches.tsx'
import { Containment } from './containment.tsx'
import { Evidence, Signals } from './evidence.tsx'
import { incidentKind } from './incident-kind.ts'

export function Page(): ReactNode {
  const { incidentId = '' } = useParams()
  const loaded = useCaseFile(incidentId)
  const { data, error } = loaded
  const back = (
    <Link
      to="/incidents"
      className="mb-1.5 inline-flex items-center gap-1.5 text-sm text-soft no-underline hover:text-ink"
    >
      <ArrowLeft size={15} aria-hidden="true" />
      Incidents
    </Link>
  )
  if (data !== undefined) return <File file={data} back={back} />
  if (error?.code === 'NOT_FOUND' || error?.code === 'INVALID_REQUEST') {
    return (
      <Frame title="No such incident" back={back}>
        <Card className="sp-scope">
          <Empty
            icon={<FileX size={22} aria-hidden="true" />}
            title="There is no case file at this address"
            text="It may be of another tenant, or its address was mistyped."
          />
        </Card>
      </Frame>
    )
  }
  return (
    <Frame title="Case file" description={<Skeleton width={320} height={16} />} back={back}>
      {error === undefined ? (
        <CaseSkeleton />
      ) : (
        <Card className="sp-scope">
          <LoadFailure of={loaded} />
        </Card>
      )}
    </Frame>
  )
}

function CaseSkeleton(): ReactNode {
  return (
    <>
      <Card className="sp-scope">
        <CardBody>
          <Skeleton height={84} />
        </CardBody>
      </Card>
      <div className="grid gap-5 lg:grid-cols-2">
        <Card className="sp-scope">
          <CardBody>
            <Skeleton height={420} />
          </CardBody>
        </Card>
        <Card className="sp-scope">
          <CardBody>
            <Skeleton height={420} />
          </CardBody>
        </Card>
      </div>
    </>
  )
}

function File({ file, back }: { readonly file: CaseFile; readonly back: ReactNode }): ReactNode {
  const { incident } = file
  const { title, text } = incidentKind(incident.reason)
  const isTheft = file.branches.length > 0
  return (
    <Frame
      title={incident.userName === null ? title : `${title}: ${incident.userName}`}
      description={text}
      back={back}
      actions={<Facts file={file} />}
    >
      {isTheft && <Branches file={file} />}
      {!isTheft && <Signals details={file.details} />}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="flex flex-col gap-5">
          <Containment file={file} />
          <Evidence file={file} />
        </div>
        <Advice file={file} />
      </div>
    </Frame>
  )
}

function Facts({ file: { incident } }: { readonly file: CaseFile }): ReactNode {
  const { signals } = useMessages()
  return (
    <span className="flex flex-wrap items-center gap-2 text-sm text-soft">
      {incident.score !== null && <Badge tone="danger">Score {incident.score}</Badge>}
      {incident.reasons.map((reason) => (
        <Badge key={reason}>{wordFor(signals, reason)}</Badge>
      ))}
      <span>
        Detected <Time value={incident.at} />
      </span>
    </span>
  )
}
