/**
 * Counts over time: as stacked bars, or as an area. Drawn with boxes and one path, so that it needs no measuring and nothing moves
 * when it comes.
 *
 * @module
 */

import { useLocale } from '@sallyport/react'
import { wholeNumber } from '@sallyport/react/ui'
import type { KeyboardEvent, ReactNode } from 'react'
import { useId, useState } from 'react'
import { Legend } from './legend.tsx'
import type { Point, Series } from './series.ts'
import { axisLabel, labelledPoints, scaleOf, stepLabel } from './series.ts'

export interface TimeChartProps<Key extends string> {
  readonly label: string
  readonly kind: 'bars' | 'area'
  readonly series: readonly Series<Key>[]
  readonly points: readonly Point<Key>[]
  /** Seconds between two points. */
  readonly step: number
  /** Pixels. Defaults to 190. */
  readonly height?: number
}

const LABELS = 6

export function TimeChart<Key extends string>({
  label,
  kind,
  series,
  points,
  step,
  height = 190,
}: TimeChartProps<Key>): ReactNode {
  const locale = useLocale()
  const id = useId()
  const [active, setActive] = useState<number | undefined>(undefined)
  const total = (point: Point<Key>): number => series.reduce((sum, { key }) => sum + (point[key] ?? 0), 0)
  const { top, ticks } = scaleOf(Math.max(0, ...points.map(total)))
  const shown = active === undefined ? undefined : points[active]

  const move = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (event.key === 'Escape') setActive(undefined)
    if (by === undefined || points.length === 0) return
    event.preventDefault()
    const from = active ?? (by > 0 ? -1 : points.length)
    setActive(Math.max(0, Math.min(points.length - 1, from + by)))
  }
  const labelled = labelledPoints(
    points.map(({ at }) => at),
    step,
    LABELS,
  )
  return (
    <figure className="m-0">
      <figcaption className="mb-3">
        <Legend entries={series} />
      </figcaption>
      {/* An image that can be read value by value with the arrow keys: no role says that of one. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="img"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={`${label}. ${summary(series, points, locale)} Arrow keys tell the values.`}
        aria-describedby={`${id}-now`}
        className="relative rounded-sm"
        onKeyDown={move}
        onBlur={() => setActive(undefined)}
        onPointerLeave={() => setActive(undefined)}
      >
        <div className="relative ml-9" style={{ height }}>
          {ticks.map((tick) => (
            <div
              key={tick}
              aria-hidden="true"
              className="pointer-events-none absolute inset-x-0 border-t border-line first:border-line-strong"
              style={{ bottom: `${(tick / top) * 100}%` }}
            >
              <span className="sp-num absolute -top-2 -left-9 w-7 text-right text-[0.6875rem] text-faint">
                {wholeNumber(tick, locale)}
              </span>
            </div>
          ))}
          {kind === 'area' && <Area series={series[0]} points={points} top={top} />}
          <div className="absolute inset-0 flex" aria-hidden="true">
            {points.map((point, at) => (
              <div
                key={point.at}
                className={`relative flex h-full min-w-0 flex-1 items-end justify-center ${at === active ? 'bg-hover' : ''}`}
                onPointerEnter={() => setActive(at)}
              >
                {kind === 'bars' && <Stack series={series} point={point} top={top} />}
                {kind === 'area' && at === active && (
                  <span
                    className="absolute size-2 -translate-x-1/2 translate-y-1/2 rounded-full ring-2 ring-surface"
                    style={{
                      left: '50%',
                      bottom: `${(total(point) / top) * 100}%`,
                      background: series[0]?.color,
                    }}
                  />
                )}
              </div>
            ))}
          </div>
          {shown !== undefined && active !== undefined && (
            <Tip
              left={((active + 0.5) / points.length) * 100}
              title={stepLabel(shown.at, step, locale)}
              rows={series.map(({ key, label: name, color }) => ({ name, color, value: shown[key] }))}
            />
          )}
        </div>
        <div className="relative mt-1.5 ml-9 h-4 text-[0.6875rem] text-faint" aria-hidden="true">
          {labelled.map((at) => (
            <span
              key={at}
              className="sp-num absolute -translate-x-1/2 whitespace-nowrap"
              style={{ left: `min(${((at + 0.5) / points.length) * 100}%, calc(100% - 18px))` }}
            >
              {axisLabel(points[at]?.at ?? '', step * points.length, locale)}
            </span>
          ))}
        </div>
      </div>
      <p id={`${id}-now`} className="sr-only" aria-live="polite">
        {shown !== undefined &&
          `${stepLabel(shown.at, step, locale)}: ${series.map(({ key, label: name }) => `${name} ${shown[key] ?? 'unknown'}`).join(', ')}`}
      </p>
    </figure>
  )
}

function summary<Key extends string>(
  series: readonly Series<Key>[],
  points: readonly Point<Key>[],
  locale: string,
): string {
  return `${series
    .map(({ key, label }) => {
      const sum = points.reduce((total, point) => total + (point[key] ?? 0), 0)
      return `${label}: ${wholeNumber(sum, locale)}`
    })
    .join(', ')}.`
}

interface StackProps<Key extends string> {
  readonly series: readonly Series<Key>[]
  readonly point: Point<Key>
  readonly top: number
}

function Stack<Key extends string>({ series, point, top }: StackProps<Key>): ReactNode {
  return (
    <div className="flex h-full w-[78%] max-w-[26px] flex-col-reverse gap-px overflow-hidden rounded-t-[3px]">
      {series.map(({ key, color }) => {
        const value = point[key] ?? 0
        if (value === 0) return null
        return (
          <span
            key={key}
            className="min-h-[2px] shrink-0"
            style={{ height: `${(value / top) * 100}%`, background: color }}
          />
        )
      })}
    </div>
  )
}

interface AreaProps<Key extends string> {
  readonly series: Series<Key> | undefined
  readonly points: readonly Point<Key>[]
  readonly top: number
}

/** Where nothing is known there is no line: a line across it would say that it was so. */
function Area<Key extends string>({ series, points, top }: AreaProps<Key>): ReactNode {
  if (series === undefined || points.length === 0) return null
  const known = points.flatMap((point, at) => {
    const value = point[series.key] as number | null
    return value === null ? [] : [{ x: ((at + 0.5) / points.length) * 100, y: 100 - (value / top) * 100 }]
  })
  const [first, last] = [known[0], known.at(-1)]
  if (first === undefined || last === undefined) return null
  const line = known.map(({ x, y }) => `${x} ${y}`).join(' L')
  return (
    <svg
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      aria-hidden="true"
      className="absolute inset-0 size-full overflow-visible"
      style={{ color: series.color }}
    >
      <path d={`M${first.x} 100 L${line} L${last.x} 100 Z`} fill="currentColor" opacity="0.14" />
      <path
        d={`M${line}`}
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}

interface TipProps {
  /** Percent. */
  readonly left: number
  readonly title: string
  readonly rows: readonly { readonly name: string; readonly color: string; readonly value: number | null | undefined }[]
}

function Tip({ left, title, rows }: TipProps): ReactNode {
  const locale = useLocale()
  const side = left > 60 ? '-translate-x-[calc(100%+10px)]' : 'translate-x-[10px]'
  return (
    <div
      aria-hidden="true"
      className={`pointer-events-none absolute top-1 z-10 w-max min-w-[150px] rounded-lg border border-line bg-raised px-3 py-2 text-xs shadow-(--sp-shadow-lg) ${side}`}
      style={{ left: `${left}%` }}
    >
      <p className="mb-1 font-medium">{title}</p>
      {rows.map(({ name, color, value }) => (
        <p key={name} className="flex items-center gap-1.5 text-soft">
          <span className="size-2 rounded-[2px]" style={{ background: color }} />
          <span className="flex-1">{name}</span>
          <span className="sp-num pl-3 font-medium text-ink">
            {value == null ? 'unknown' : wholeNumber(value, locale)}
          </span>
        </p>
      ))}
    </div>
  )
}
