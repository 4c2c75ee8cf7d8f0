/**
 * `sallyport audit`
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import type { LogVerdict } from 'sallyport'
import { CommandError, type GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'
import { tenantId } from './tenant-id.ts'

export interface AuditVerifyOptions extends GlobalOptions {
  readonly tenant?: string | undefined
  readonly checkpoint?: readonly string[] | undefined
  readonly key?: string | undefined
}

/** The id under which the service's own log goes. */
const SERVICE_LOG = '00000000-0000-0000-0000-000000000000'

/** Recomputes the logs and says of each whether it holds. @returns The exit code. */
export async function auditVerify({ tenant, checkpoint = [], key, ...options }: AuditVerifyOptions): Promise<number> {
  const kept = (await Promise.all(checkpoint.map(readNotes))).flat()
  const started = performance.now()
  const logs = await withGuard(await configuration(), options, ({ guard }) =>
    guard.audit.verify({
      tenantId: tenant === undefined ? undefined : tenantOf(tenant),
      kept,
      vkey: key,
      ...(process.stderr.isTTY && { progress: (rows: number) => void process.stderr.write(`\r${rows} rows`) }),
    }),
  )
  if (process.stderr.isTTY) process.stderr.write('\r')
  const seconds = (performance.now() - started) / 1000
  const rows = logs.reduce((sum, log) => sum + log.rows, 0)
  const wrong = logs.filter(({ finding }) => finding !== undefined).length
  answer(options, { holds: wrong === 0, rows, seconds, logs }, [
    ...logs.map(lineOf),
    wrong === 0
      ? `${logs.length === 1 ? 'the log holds' : `all ${logs.length} logs hold`}: ${rows} rows in ${seconds.toFixed(1)} s`
      : `${wrong} of ${logs.length} ${logs.length === 1 ? 'log does' : 'logs do'} not hold`,
  ])
  return wrong === 0 ? 0 : 1
}

/** Seals what waits, signs it and writes the signed note. */
export async function auditCheckpoint(tenant: string | undefined, options: GlobalOptions): Promise<void> {
  const note = await withGuard(await configuration(), options, ({ guard }) => guard.audit.checkpoint(tenantOf(tenant)))
  if (note === undefined) throw new CommandError('this log has no rows yet')
  // Byte for byte, so that the output of the command is the note.
  answer(options, { note }, [note.replace(/\n$/, '')])
}

/** Writes the key that auditors pin. */
export async function auditKey(tenant: string | undefined, options: GlobalOptions): Promise<void> {
  const vkey = await withGuard(await configuration(), options, ({ guard }) => guard.audit.key(tenantOf(tenant)))
  answer(options, { vkey }, [vkey])
}

/** Gives a log a new key, and writes it with the checkpoint that both keys have signed. */
export async function auditRotateKey(
  log: string,
  { reason, ...options }: GlobalOptions & { readonly reason: string },
): Promise<void> {
  const { epoch, note, vkey } = await withGuard(await configuration(), options, async ({ guard }) => ({
    ...(await guard.audit.rotateKey(tenantOf(log), { reason })),
    vkey: await guard.audit.key(tenantOf(log)),
  }))
  answer(options, { epoch, vkey, note }, [
    `the log is signed by its key number ${epoch} from here on; the key before it has signed this checkpoint as well:`,
    vkey,
    '',
    note.replace(/\n$/, ''),
  ])
}

/** Starts a new line of checkpoints after a restore. */
export async function auditReanchor(
  log: string,
  { reason, ...options }: GlobalOptions & { readonly reason: string },
): Promise<void> {
  const { epoch, vkey } = await withGuard(await configuration(), options, async ({ guard }) => ({
    ...(await guard.audit.reanchor(tenantOf(log), { reason })),
    vkey: await guard.audit.key(tenantOf(log)),
  }))
  answer(options, { epoch, vkey }, [
    `the log goes on under its key number ${epoch}: tell every auditor who has pinned the one before`,
    vkey,
  ])
}

/** `undefined`: the service's own log, as is the id that it goes by. */
function tenantOf(tenant: string | undefined): string | null {
  if (tenant === undefined || tenant === SERVICE_LOG) return null
  return tenantId(tenant)
}

/** A note, or the lines of a witness file. */
async function readNotes(file: string): Promise<readonly string[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    throw new CommandError(`${file} cannot be read`)
  }
  if (!text.startsWith('{')) return [text]
  try {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { readonly note: string }).note)
  } catch {
    throw new CommandError(`${file} holds neither a checkpoint nor the lines of a witness`)
  }
}

function lineOf({ origin, rows, root, checkpoints, purged, finding }: LogVerdict): string {
  if (finding !== undefined) return `BROKEN  ${origin}: ${finding.message}`
  const gone = purged === 0 ? '' : `, ${purged} of them without content by retention`
  return `holds   ${origin}: ${rows} rows${gone}, ${checkpoints} checkpoints, root ${root}`
}
