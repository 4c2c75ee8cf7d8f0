/**
 * Files: fetched as a stream, with what has arrived so far, kept only where all of it arrived.
 *
 * @module
 */

import type { Client, Operations } from '@sallyport/client'
import { SallyportError } from '@sallyport/client'
import { useRef, useState } from 'react'
import { useContextOf, useLocale, useMessages } from '../context.ts'
import { byteSize } from '../format/describe.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export type ExportInput = Operations['exportDataset']['input']
export type BundleInput = Operations['createEvidenceBundle']['input']

/** A file that arrived whole. */
export interface ArrivedFile {
  readonly name: string
  readonly bytes: number
}

export interface ExportState<Input> extends Action<Input, ArrivedFile> {
  /** How many bytes have arrived of the file that is on its way. */
  readonly received: number
  cancel(): void
}

/** Exports a dataset into a file on the person's machine. */
export function useExport(): ExportState<ExportInput> {
  return useDownload((client, input: ExportInput, signal) => client.api.exportDataset(input, { signal }))
}

/** Makes an evidence bundle. */
export function useEvidenceBundle(): ExportState<BundleInput> {
  return useDownload((client, input: BundleInput, signal) => client.api.createEvidenceBundle(input, { signal }))
}

/** The proof of one event of the audit log, as a file for an auditor. */
export function useProofFile(): ExportState<string> {
  return useDownload((client, id: string, signal) => client.api.downloadAuditProof({ id }, { signal }))
}

/** How often the count is shown anew: each chunk would be a rendering of its own. */
const SHOWN_EVERY_MS = 120

function useDownload<Input>(
  ask: (client: Client, input: Input, signal: AbortSignal) => Promise<Response>,
): ExportState<Input> {
  const { client } = useContextOf('useExport')
  const { exports } = useMessages()
  const locale = useLocale()
  const [received, setReceived] = useState(0)
  const abort = useRef<AbortController>(undefined)
  const action = useAction(
    async (input: Input): Promise<ArrivedFile> => {
      setReceived(0)
      const controller = new AbortController()
      abort.current = controller
      const response = await ask(client, input, controller.signal)
      const name = fileNameOf(response)
      const blob = await collect(response, setReceived)
      save(blob, name)
      return { name, bytes: blob.size }
    },
    { notice: ({ name, bytes }) => exports.saved(name, byteSize(bytes, locale)) },
  )
  return { ...action, received, cancel: () => abort.current?.abort(new SallyportError('CLOSED', 'cancelled')) }
}

async function collect(response: Response, onProgress: (bytes: number) => void): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  let shown = performance.now()
  const reader = response.body?.getReader()
  if (reader === undefined) return response.blob()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    bytes += value.byteLength
    if (performance.now() - shown < SHOWN_EVERY_MS) continue
    shown = performance.now()
    onProgress(bytes)
  }
  onProgress(bytes)
  return new Blob(parts, { type: response.headers.get('content-type') ?? 'application/octet-stream' })
}

/** The name that the service gave, and nothing that could lead elsewhere. */
function fileNameOf(response: Response): string {
  const name = /filename="([\w.+-]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1]
  return name ?? 'export'
}

function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
