/**
 * Exports for auditors: datasets of a period, and the evidence bundle.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import { Archive, Download, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useLocale, useMessages } from '../context.ts'
import { byteSize } from '../format/describe.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { ExportInput } from '../hooks/use-export.ts'
import { useEvidenceBundle, useExport } from '../hooks/use-export.ts'
import { Button } from '../ui/button.tsx'
import { Check, Segments } from '../ui/field.tsx'
import { Callout, Card, CardBody } from '../ui/surface.tsx'
import type { Period } from './period-fields.tsx'
import { lastDays, PeriodFields, rangeOf } from './period-fields.tsx'

const DATASETS = [
  'audit-logs',
  'security-events',
  'user-sessions',
  'refresh-tokens',
  'step-up-challenges',
  'staff-access',
] as const
type Dataset = (typeof DATASETS)[number]

const FORMATS = ['csv', 'json', 'ndjson'] as const
type Format = (typeof FORMATS)[number]

/** As of now, whatever the period. */
const WITHOUT_PERIOD: ReadonlySet<Dataset> = new Set(['staff-access'])

export interface ComplianceExportsProps {
  readonly title?: ReactNode
  readonly description?: ReactNode
}

/** Datasets one by one, and everything in one bundle. One at a time, as the service has it. */
export function ComplianceExports({ title, description }: ComplianceExportsProps): ReactNode {
  const { exports: texts } = useMessages()
  const [period, setPeriod] = useState<Period>(() => lastDays(90))
  const [format, setFormat] = useState<Format>('csv')
  const [omit, setOmit] = useState(false)
  const file = useExport()
  const bundle = useEvidenceBundle()
  const [made, setMade] = useState<string | undefined>(undefined)
  const range = { ...rangeOf(period), ...(omit ? { device: 'omit' as const } : {}) }
  const busy = file.busy || bundle.busy
  const rangeError = [file.error, bundle.error].find((error) => error?.code === 'INVALID_RANGE')
  const begin = (dataset: Dataset): void => {
    bundle.reset()
    const input = WITHOUT_PERIOD.has(dataset) ? {} : range
    void file.run({ file: `${dataset}.${format}`, ...input } satisfies ExportInput)
  }
  return (
    <div className="sp-scope sp-stack">
      <Card title={title ?? texts.title} description={description ?? texts.text}>
        <CardBody className="sp-stack">
          <PeriodFields period={period} onChange={setPeriod} error={rangeError} />
          <div className="sp-row sp-spread">
            <Segments
              label={texts.format}
              value={format}
              onChange={setFormat}
              options={FORMATS.map((value) => ({ value, label: value.toUpperCase() }))}
            />
            <Check label={texts.omitDevice} checked={omit} onChange={(event) => setOmit(event.target.checked)} />
          </div>
        </CardBody>
        <ul className="sp-list">
          {DATASETS.map((dataset) => (
            <li key={dataset}>
              <DatasetItem
                dataset={dataset}
                running={file.busy && fileNameStartsWith(file.input, dataset)}
                failed={!file.busy && fileNameStartsWith(file.input, dataset) ? file.error : undefined}
                received={file.received}
                blocked={busy}
                onExport={() => begin(dataset)}
                onCancel={file.cancel}
              />
            </li>
          ))}
        </ul>
      </Card>
      <Card title={texts.bundleTitle} description={texts.bundleText}>
        <CardBody className="sp-stack">
          <div className="sp-row">
            <Button
              variant="primary"
              disabled={busy}
              icon={<Archive size={15} aria-hidden="true" />}
              onClick={() => {
                file.reset()
                void bundle.run(range).then((outcome) => outcome.ok && setMade(outcome.value.name))
              }}
            >
              {texts.bundleMake}
            </Button>
            <p className="sp-faint sp-small">
              {texts.bundleVerify} <code className="sp-mono sp-break">sallyport verify {made ?? 'evidence_….zip'}</code>
            </p>
          </div>
          {bundle.busy && <Progress received={bundle.received} onCancel={bundle.cancel} />}
          <ExportFailure error={bundle.error} />
        </CardBody>
      </Card>
    </div>
  )
}

function fileNameStartsWith(input: ExportInput | undefined, dataset: Dataset): boolean {
  return input?.file.split('.')[0] === dataset
}

interface DatasetItemProps {
  readonly dataset: Dataset
  readonly running: boolean
  readonly failed: SallyportError | undefined
  readonly received: number
  readonly blocked: boolean
  readonly onExport: () => void
  readonly onCancel: () => void
}

function DatasetItem({ dataset, running, failed, received, blocked, onExport, onCancel }: DatasetItemProps): ReactNode {
  const { exports: texts } = useMessages()
  const name = texts.datasets[dataset] ?? dataset
  return (
    <div className="sp-item sp-item-plain">
      <div className="sp-item-text">
        <p className="sp-item-title">{name}</p>
        <p className="sp-faint sp-small">
          {texts.datasetTexts[dataset]}
          {WITHOUT_PERIOD.has(dataset) && ` (${texts.asOfNow})`}
        </p>
      </div>
      <div className="sp-item-actions">
        <Button
          size="sm"
          disabled={blocked}
          icon={<Download size={14} aria-hidden="true" />}
          aria-label={texts.exportLabel(name)}
          onClick={onExport}
        >
          {texts.export}
        </Button>
      </div>
      {running && (
        <div className="sp-item-wide">
          <Progress received={received} onCancel={onCancel} />
        </div>
      )}
      {failed !== undefined && failed.code !== 'INVALID_RANGE' && failed.code !== 'STEP_UP_CANCELLED' && (
        <div className="sp-item-wide">
          <ExportFailure error={failed} />
        </div>
      )}
    </div>
  )
}

function Progress({ received, onCancel }: { readonly received: number; readonly onCancel: () => void }): ReactNode {
  const { exports: texts, common } = useMessages()
  const locale = useLocale()
  return (
    <div className="sp-progress-line">
      {/* How long it will be nobody knows before its end: it says what has arrived. */}
      <span className="sp-progress" role="progressbar" aria-label={texts.export}>
        <span />
      </span>
      <span className="sp-small sp-soft sp-num">{texts.progress(byteSize(received, locale))}</span>
      <Button size="sm" variant="ghost" icon={<X size={14} aria-hidden="true" />} onClick={onCancel}>
        {common.cancel}
      </Button>
    </div>
  )
}

function ExportFailure({ error }: { readonly error: SallyportError | undefined }): ReactNode {
  const { exports: texts } = useMessages()
  const text = useErrorText()
  if (error === undefined || error.code === 'STEP_UP_CANCELLED' || error.code === 'INVALID_RANGE') return null
  if (error.code === 'CLOSED') return <Callout role="status">{texts.cancelled}</Callout>
  const words: Readonly<Record<string, string>> = { CONFLICT: texts.busyElsewhere, UNEXPECTED: texts.failed }
  return (
    <Callout tone="danger" role="alert">
      {words[error.code] ?? text(error)}
    </Callout>
  )
}
