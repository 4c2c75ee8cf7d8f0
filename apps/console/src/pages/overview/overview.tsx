/**
 * The state of the tenant at a look: who is in, how they came in, what was refused, and what calls for somebody.
 *
 * @module
 */

import type { Overview } from '@sallyport/react'
import { useLocale, useMessages, useOverview, wordFor } from '@sallyport/react'
import { Card, CardBody, LoadFailure, placeName, Segments, Skeleton } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { Legend } from '../../charts/legend.tsx'
import { Ranking, RANKED_HEIGHT } from '../../charts/ranking.tsx'
import { TimeChart } from '../../charts/time-chart.tsx'
import { Page as Frame } from '../../parts/page.tsx'
import { Alerts } from './alerts.tsx'
import { Tiles } from './tiles.tsx'

const PERIODS = [
  { value: '1', label: '24 hours' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
] as const
type Days = (typeof PERIODS)[number]['value']

export function Page(): ReactNode {
  const [days, setDays] = useState<Days>('7')
  const overview = useOverview(Number(days))
  const { data, error } = overview
  return (
    <Frame
      title="Overview"
      description="Who is signed in, how they came in, and what was refused."
      actions={<Segments label="Period" value={days} options={PERIODS} onChange={setDays} />}
    >
      {data === undefined && error !== undefined ? (
        <Card className="sp-scope">
          <LoadFailure of={overview} />
        </Card>
      ) : (
        <>
          <Tiles data={data} days={Number(days)} />
          <div className="grid gap-5 xl:grid-cols-[minmax(0,1fr)_360px]">
            <SignIns data={data} />
            <Alerts alerts={data?.alerts} />
          </div>
          <div className="grid gap-5 lg:grid-cols-2">
            <LiveSessions data={data} />
            <StepUps data={data} />
          </div>
          <div className="grid gap-5 md:grid-cols-2 xl:grid-cols-3">
            <Places data={data} />
            <Reasons data={data} />
            <Refusals data={data} />
          </div>
        </>
      )}
    </Frame>
  )
}

type Part = { readonly data: Overview | undefined }

const OK = 'var(--chart-ok)'
const ASKED = 'var(--chart-asked)'
const FAILED = 'var(--chart-failed)'
const BLOCKED = 'var(--chart-blocked)'

const SIGN_INS = [
  { key: 'success', label: 'Signed in', color: OK },
  { key: 'failed', label: 'Failed', color: FAILED },
  { key: 'blocked', label: 'Blocked', color: BLOCKED },
] as const

function SignIns({ data }: Part): ReactNode {
  return (
    <ChartCard title="Sign-ins" description="Those that succeeded, and those that did not" height={265}>
      {data && (
        <TimeChart
          label="Sign-ins over time"
          kind="bars"
          series={SIGN_INS}
          points={data.signIns}
          step={data.step}
          height={210}
        />
      )}
    </ChartCard>
  )
}

const LIVE = [{ key: 'active', label: 'Live sessions', color: OK }] as const

function LiveSessions({ data }: Part): ReactNode {
  return (
    <ChartCard title="Live sessions" description="Open at the end of each step" height={205}>
      {data && (
        <TimeChart
          label="Live sessions over time"
          kind="area"
          series={LIVE}
          points={data.sessions}
          step={data.step}
          height={150}
        />
      )}
    </ChartCard>
  )
}

const STEP_UPS = [
  { key: 'passed', label: 'Passed', color: OK },
  { key: 'failed', label: 'Failed', color: FAILED },
] as const

function StepUps({ data }: Part): ReactNode {
  return (
    <ChartCard title="Step-ups" description="Second factors that were given" height={205}>
      {data && (
        <TimeChart
          label="Step-ups over time"
          kind="bars"
          series={STEP_UPS}
          points={data.stepUps.series}
          step={data.step}
          height={150}
        />
      )}
    </ChartCard>
  )
}

interface ChartCardProps {
  readonly title: string
  readonly description: ReactNode
  /** Of what is inside, kept from the beginning. */
  readonly height: number
  readonly children: ReactNode
}

function ChartCard({ title, description, height, children }: ChartCardProps): ReactNode {
  return (
    <Card className="sp-scope" title={title} description={description}>
      <CardBody>
        <div style={{ minHeight: height }}>{children ?? <Skeleton height={height} />}</div>
      </CardBody>
    </Card>
  )
}

const ROWS = 6

function RankingCard({ title, description, children }: Omit<ChartCardProps, 'height'>): ReactNode {
  return (
    <ChartCard title={title} description={description} height={ROWS * RANKED_HEIGHT}>
      {children}
    </ChartCard>
  )
}

function Places({ data }: Part): ReactNode {
  const locale = useLocale()
  return (
    <RankingCard title="Places" description="Where sessions were last seen">
      {data && (
        <Ranking
          rows={ROWS}
          empty="No sessions in this time."
          items={data.places.map((place) => ({
            key: `${place.country} ${place.city}`,
            label: placeName(place, locale) ?? 'Unknown place',
            more: place.users === 1 ? '1 person' : `${place.users} people`,
            parts: [{ value: place.sessions, color: OK }],
          }))}
        />
      )}
    </RankingCard>
  )
}

const ANSWERS = [
  { label: 'Let through', color: OK },
  { label: 'Second factor', color: ASKED },
  { label: 'Blocked', color: BLOCKED },
] as const

function Reasons({ data }: Part): ReactNode {
  const { signals } = useMessages()
  return (
    <RankingCard title="What looked unusual" description={<Legend entries={ANSWERS} />}>
      {data && (
        <Ranking
          rows={ROWS}
          empty="Nothing looked unusual."
          items={data.risk.map(({ reason, pass, stepUp, blocked }) => ({
            key: reason,
            label: wordFor(signals, reason),
            title: `${pass} let through, ${stepUp} asked for a second factor, ${blocked} blocked`,
            parts: [
              { value: pass, color: OK },
              { value: stepUp, color: ASKED },
              { value: blocked, color: BLOCKED },
            ],
          }))}
        />
      )}
    </RankingCard>
  )
}

function Refusals({ data }: Part): ReactNode {
  const { refusals } = useMessages()
  return (
    <RankingCard title="Refusals" description="Requests that were turned away">
      {data && (
        <Ranking
          rows={ROWS}
          empty="Nothing was refused."
          items={data.refusals.map(({ reason, count }) => ({
            key: reason,
            label: wordFor(refusals, reason),
            parts: [{ value: count, color: FAILED }],
          }))}
        />
      )}
    </RankingCard>
  )
}
