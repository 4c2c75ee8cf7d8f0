/**
 * The lineage of a stolen token: one holder, the moment when they parted, and what each of the two did since.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { useMessages } from '@sallyport/react'
import { Badge, Card, CardBody, useDevice, usePlace } from '@sallyport/react/ui'
import { KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { Clock } from '../../parts/clock.tsx'
import { Branch } from './branch.tsx'
import { TimelineEvent } from './timeline.tsx'

export type CaseBranch = CaseFile['branches'][number]
type CaseToken = CaseFile['before'][number]

/** Whom it is most likely the session of stands first. */
const ORDER: Readonly<Record<CaseBranch['kind'], number>> = { owner: 0, unknown: 1, other: 2 }

export function Branches({ file }: { readonly file: CaseFile }): ReactNode {
  const branches = file.branches.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind])
  return (
    <section aria-label="The two holders of the session" className="sp-scope">
      <Trunk file={file} />
      <Fork parted={file.parted} />
      <div className="grid items-stretch gap-4 lg:grid-cols-2 lg:gap-5">
        {branches.map((branch) => (
          <Branch key={branch.id} branch={branch} />
        ))}
      </div>
      {file.undecided.length > 0 && (
        <Card
          className="mt-5"
          title="Done by one of them"
          description="What was recorded does not tell which of the two it was."
        >
          <CardBody>
            <ol className="flex flex-col gap-3">
              {file.undecided.map((action) => (
                <TimelineEvent key={action.id} action={action} />
              ))}
            </ol>
          </CardBody>
        </Card>
      )}
    </section>
  )
}

/** What the session was before, in as few lines as there were holders of it. */
function Trunk({ file: { family, before, incident } }: { readonly file: CaseFile }): ReactNode {
  const spans = spansOf(before)
  return (
    <Card
      className="mx-auto max-w-[640px]"
      title={`One session of ${incident.userName ?? 'a member'}`}
      description={
        family === null ? undefined : (
          <>
            Begun <Clock value={family.startedAt} withDay />, exchanged {times(family.generations - 1)} in all
            {family.binding === 'key' && ', bound to a key'}
          </>
        )
      }
    >
      <CardBody>
        <ol className="flex flex-col gap-2">
          {spans.map((span) => (
            <TrunkSpan key={span.first.generation} span={span} />
          ))}
        </ol>
      </CardBody>
    </Card>
  )
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

interface Span {
  readonly first: CaseToken
  readonly last: CaseToken
}

/** Tokens in a row that were had from one place by one device. */
function spansOf(tokens: readonly CaseToken[]): readonly Span[] {
  const spans: Span[] = []
  for (const token of tokens) {
    const span = spans.at(-1)
    const isSame =
      span !== undefined && span.last.ipAddress === token.ipAddress && span.last.userAgent === token.userAgent
    if (isSame) spans[spans.length - 1] = { ...span, last: token }
    else spans.push({ first: token, last: token })
  }
  return spans
}

function TrunkSpan({ span: { first, last } }: { readonly span: Span }): ReactNode {
  const { common } = useMessages()
  const [place, device] = [usePlace()(first), useDevice()(first)]
  const range = first === last ? `${first.generation}` : `${first.generation} to ${last.generation}`
  return (
    <li className="flex items-start gap-3">
      <span className="sp-item-icon mt-0.5">
        <KeyRound size={17} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="min-w-0">
        <p className="text-sm font-medium">
          {first === last ? 'Token' : 'Tokens'} {range} <span className="font-normal text-faint">·</span> {place}
        </p>
        <div className="sp-facts">
          <span className="sp-num">{first.ipAddress ?? common.noAddress}</span>
          <span>{device}</span>
          <span>
            from <Clock value={first.issuedAt} withDay />
          </span>
        </div>
      </div>
    </li>
  )
}

/** The moment itself. */
function Fork({ parted }: { readonly parted: CaseFile['parted'] }): ReactNode {
  return (
    <div className="relative flex h-[84px] justify-center">
      <svg
        viewBox="0 0 100 84"
        preserveAspectRatio="none"
        aria-hidden="true"
        className="absolute inset-0 hidden size-full text-line-strong lg:block"
      >
        <path
          d="M50 0 V42 M50 42 C50 66 25 56 25 84 M50 42 C50 66 75 56 75 84"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <span
        aria-hidden="true"
        className="absolute inset-y-0 left-1/2 w-0.5 -translate-x-1/2 bg-line-strong lg:hidden"
      />
      <span className="relative mt-[26px] h-fit">
        <span className="flex items-center gap-2 rounded-full border border-line bg-page px-3 py-1 text-sm font-medium shadow-(--sp-shadow)">
          {parted === null ? (
            'They parted'
          ) : (
            <>
              <Badge tone="danger">Parted</Badge>
              <span>
                token {parted.generation}
                {parted.at !== null && (
                  <>
                    , <Clock value={parted.at} withDay />
                  </>
                )}
              </span>
            </>
          )}
        </span>
      </span>
    </div>
  )
}
