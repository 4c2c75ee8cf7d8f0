/**
 * `sallyport evidence` and `sallyport verify`
 *
 * @module
 */

import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { verifyBundle } from 'sallyport/verify'
import { progressOf } from './progress.ts'
import type { GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'
import { tenantId } from './tenant-id.ts'

/** What the command is given. */
export interface EvidenceCommand {
  readonly tenant: string
  readonly from?: string
  readonly to?: string
  readonly out?: string
  readonly omitDevices?: boolean
}

/** Writes the bundle beside its name first: what was cut off half-way is never taken for one. */
export async function evidence({
  tenant,
  from,
  to,
  out,
  omitDevices,
  ...options
}: GlobalOptions & EvidenceCommand): Promise<void> {
  const requester = { tenantId: tenantId(tenant), machine: 'cli' } as const
  const progress = progressOf(options)
  const written = await withGuard(await configuration(), options, async ({ guard }) => {
    const { body, fileName, exportId } = await guard.compliance.bundle(requester, {
      from,
      to,
      device: omitDevices === true ? 'omit' : 'include',
    })
    const file = out ?? fileName
    const partial = `${file}.part`
    let bytes = 0
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        bytes += chunk.length
        progress.show(`${Math.round(bytes / 1024)} KiB`)
        yield chunk
      }
    }
    try {
      await pipeline(counted(), createWriteStream(partial, { mode: 0o600 }))
      await rename(partial, file)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    } finally {
      progress.end()
    }
    return { file, bytes, exportId, vkey: await guard.audit.key(tenant) }
  })
  answer(options, written, [
    `wrote ${written.file} (${written.bytes} bytes)`,
    `sallyport verify ${written.file} --key '${written.vkey}'`,
  ])
}

/** Checks a bundle. @returns The exit code: 1 when something does not hold. */
export async function verify(
  bundle: string,
  { key, ...options }: GlobalOptions & { readonly key?: string },
): Promise<number> {
  const { ok, held, problem, warnings } = await verifyBundle(bundle, { key })
  answer(options, { ok, held, problem, warnings }, [
    ...held.map((line) => `holds    ${line}`),
    ...warnings.map((line) => `note     ${line}`),
    ok ? 'The bundle holds.' : `WRONG    ${problem?.message ?? ''}`,
  ])
  return ok ? 0 : 1
}
