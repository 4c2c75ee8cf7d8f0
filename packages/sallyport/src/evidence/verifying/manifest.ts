/**
 * What an evidence bundle says of itself, and how that is signed.
 *
 * @module
 */

import { createHash } from 'node:crypto'

export const MANIFEST = 'manifest.json'
export const SIGNATURE = 'manifest.sig'

export interface ManifestFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** Of data files. */
  readonly rows?: number
  /** Of tables: the instant that they were read at. */
  readonly as_of?: string
}

/** The fields that the verifier rests on; there are more, for people. */
export interface Manifest {
  readonly manifest_version: 1
  readonly export_id: string
  readonly tenant: { readonly id: string; readonly name: string }
  readonly period: { readonly from: string; readonly to: string; readonly timezone: 'UTC' }
  readonly population: {
    readonly rows_in_period: number
    readonly rows_exported: number
    readonly rows_excluded: readonly { readonly reason: string; readonly count: number }[]
    readonly first_seq: number | null
    readonly last_seq: number | null
    readonly expected: number
    readonly gaps: readonly number[]
    readonly counts_by_type: Readonly<Record<string, number>>
    /** SHA-256 over the leaf hashes in their order. */
    readonly sum_check: string
  }
  readonly files: readonly ManifestFile[]
  readonly log: {
    readonly origin: string
    readonly start_size: number
    readonly end_size: number
    readonly end_root: string
    readonly checkpoint_size: number
  }
}

/** The text that is signed for a manifest: its first line keeps it apart from the checkpoints that the same key signs. */
export function manifestNote(exportId: string, manifest: Uint8Array | string): string {
  return `sallyport evidence manifest v1\n${exportId}\nsha256 ${createHash('sha256').update(manifest).digest('hex')}\n`
}
