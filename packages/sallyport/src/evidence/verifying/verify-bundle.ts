/**
 * Verifies an evidence bundle from the file alone: no database, no network, none of the code that made it.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { LeafRow } from '../../audit/leaf.ts'
import { leafHash } from '../../audit/leaf.ts'
import { verifyCheckpoint } from '../../audit/verifying/checkpoint.ts'
import { Frontier, verifyConsistency } from '../../audit/verifying/merkle.ts'
import type { VerifierKey } from '../../audit/verifying/signed-note.ts'
import { NoteError, readVerifierKey, strictBase64, verifyNote } from '../../audit/verifying/signed-note.ts'
import { verifyTlogProof } from '../../audit/verifying/tlog-proof.ts'
import type { Manifest } from './manifest.ts'
import { MANIFEST, manifestNote, SIGNATURE } from './manifest.ts'
import type { Zip } from './read-zip.ts'
import { BundleError, openZip } from './read-zip.ts'

export interface VerifyBundleOptions {
  /** The log's key as its owner published it (`origin+id+key`). Without one the bundle's own is used, which proves less. */
  readonly key?: string | undefined
}

export interface BundleReport {
  readonly ok: boolean
  /** What was looked at and holds, in order. */
  readonly held: readonly string[]
  /** The first thing that does not hold. */
  readonly problem: { readonly file: string; readonly message: string } | undefined
  readonly warnings: readonly string[]
  readonly manifest: Manifest | undefined
}

const MOST_MANIFEST_BYTES = 4 * 1024 * 1024

/** Verifies the bundle at `path`. What does not hold is in the report; only what cannot be looked at throws. */
export async function verifyBundle(path: string, { key }: VerifyBundleOptions = {}): Promise<BundleReport> {
  const held: string[] = []
  const warnings: string[] = []
  let manifest: Manifest | undefined
  let zip: Zip | undefined
  try {
    zip = await openZip(path)
    const opened = zip
    const bytes = await whole(opened, MANIFEST)
    const vkey = keyOf(
      key ?? (await text(opened, 'keys/log.vkey')).trim(),
      key === undefined ? 'keys/log.vkey' : '--key',
    )
    if (key === undefined) {
      warnings.push('the key is the one in the bundle: give the published one with --key to know who signed it')
    }
    manifest = await signedManifest(opened, bytes, vkey)
    // A later version adds fields and files, and keeps these; where it could not, it says so by this number.
    if (manifest.manifest_version !== 1)
      throw new BundleError(
        MANIFEST,
        `is of version ${String(manifest.manifest_version)}: a newer verifier can read it`,
      )
    held.push(`${MANIFEST} is signed by ${vkey.name}`)
    const files = await checkFiles(opened, manifest)
    held.push(`${files} files are as the manifest says, and no others are there`)
    const { rows, erased } = await checkLog(opened, manifest, vkey)
    if (erased > 0)
      warnings.push(
        `of ${erased} rows a person's data was erased: their place in the log is proven, and not what they said`,
      )
    held.push(`${rows} rows of the audit log are complete, in order, and in the signed tree`)
    return { ok: true, held, problem: undefined, warnings, manifest }
  } catch (error) {
    if (!(error instanceof BundleError)) throw error
    return { ok: false, held, problem: { file: error.file, message: error.message }, warnings, manifest }
  } finally {
    zip?.close()
  }
}

function keyOf(text: string, file: string): VerifierKey {
  return noted(file, () => readVerifierKey(text))
}

async function signedManifest(zip: Zip, bytes: Buffer, key: VerifierKey): Promise<Manifest> {
  let manifest: Manifest
  try {
    manifest = JSON.parse(bytes.toString()) as Manifest
  } catch {
    throw new BundleError(MANIFEST, 'is not JSON')
  }
  const note = await text(zip, SIGNATURE)
  const signed = noted(SIGNATURE, () => verifyNote(note, [key]))
  if (signed.text !== manifestNote(String(manifest.export_id), bytes))
    throw new BundleError(MANIFEST, 'is not what was signed')
  return manifest
}

async function checkFiles(zip: Zip, { files }: Manifest): Promise<number> {
  const listed = new Set([MANIFEST, SIGNATURE, ...files.map(({ path }) => path)])
  for (const name of zip.names) if (!listed.has(name)) throw new BundleError(name, 'is in no manifest')
  for (const { path, bytes, sha256, rows } of files) {
    const hash = createHash('sha256')
    let size = 0
    let lines = 0
    for await (const chunk of zip.read(path)) {
      hash.update(chunk)
      size += chunk.length
      if (rows !== undefined && path.endsWith('.ndjson')) for (const byte of chunk) if (byte === 0x0a) lines++
    }
    if (size !== bytes) throw new BundleError(path, `has ${size} bytes where the manifest has ${bytes}`)
    if (hash.digest('hex') !== sha256) throw new BundleError(path, 'has another SHA-256 than the manifest')
    if (rows !== undefined && path.endsWith('.ndjson') && lines !== rows) {
      throw new BundleError(path, `has ${lines} rows where the manifest has ${rows}`)
    }
  }
  return files.length
}

const ROWS = 'data/audit-logs.ndjson'

/** The tree before the period, continued with every row of it, has to be a beginning of the tree that the checkpoint signs. */
async function checkLog(
  zip: Zip,
  { log, population }: Manifest,
  key: VerifierKey,
): Promise<{ readonly rows: number; readonly erased: number }> {
  const removed = new Map<number, Buffer>()
  for (const line of (await text(zip, 'log/removed.txt')).split('\n')) {
    const [seq, hash] = line.split(' ')
    if (seq !== undefined && hash !== undefined) removed.set(Number(seq), hashOf('log/removed.txt', hash))
  }
  const start = (await text(zip, 'log/start.txt'))
    .split('\n')
    .filter(Boolean)
    .map((line) => hashOf('log/start.txt', line))
  let frontier: Frontier
  try {
    frontier = new Frontier(log.start_size, start)
  } catch {
    throw new BundleError('log/start.txt', 'is not the beginning of a log of that size')
  }
  const sum = createHash('sha256')
  const append = (leaf: Buffer): void => {
    frontier.append(leaf)
    sum.update(leaf)
  }
  let rows = 0
  let erased = 0
  for await (const line of lines(zip, ROWS)) {
    const { seq, leaf, isErased } = leafOf(line)
    if (isErased) erased++
    while (frontier.size < seq) {
      const gone = removed.get(frontier.size)
      if (gone === undefined) throw new BundleError(ROWS, `seq ${frontier.size} is missing`)
      append(gone)
    }
    if (seq !== frontier.size) throw new BundleError(ROWS, `seq ${seq} stands where ${frontier.size} has to`)
    append(leaf)
    rows++
  }
  for (let gone = removed.get(frontier.size); gone !== undefined; gone = removed.get(frontier.size)) append(gone)
  if (frontier.size !== log.end_size)
    throw new BundleError(ROWS, `ends at seq ${frontier.size - 1}, and not at ${log.end_size - 1}`)
  if (frontier.root().toString('hex') !== log.end_root)
    throw new BundleError(ROWS, 'its rows do not come to the root in the manifest')
  if (sum.digest('hex') !== population.sum_check)
    throw new BundleError(MANIFEST, 'its sum over the leaves is not theirs')
  if (rows !== population.rows_exported) throw new BundleError(MANIFEST, 'counts other rows than there are')
  if (log.checkpoint_size === 0) return { rows, erased }

  const note = await text(zip, 'checkpoint.end')
  const checkpoint = noted('checkpoint.end', () => verifyCheckpoint(note, key))
  if (checkpoint.size !== log.checkpoint_size)
    throw new BundleError('checkpoint.end', 'is of another size than the manifest says')
  const hashes = (await text(zip, 'consistency.txt'))
    .split('\n')
    .filter(Boolean)
    .map((line) => hashOf('consistency.txt', line))
  if (
    log.end_size > 0 &&
    !verifyConsistency({
      firstSize: log.end_size,
      secondSize: checkpoint.size,
      firstRoot: frontier.root(),
      secondRoot: checkpoint.root,
      hashes,
    })
  ) {
    throw new BundleError('consistency.txt', 'the signed tree does not begin with these rows')
  }
  for (const name of zip.names.filter((one) => one.endsWith('.tlog-proof'))) {
    const seq = Number(/(\d+)\.tlog-proof$/.exec(name)?.[1])
    const proof = await text(zip, name)
    for await (const line of lines(zip, ROWS)) {
      const row = leafOf(line)
      if (row.seq !== seq) continue
      noted(name, () => verifyTlogProof(proof, row.leaf, key))
      break
    }
  }
  return { rows, erased }
}

/** The leaf of a row, computed from what the row says. */
function leafOf(line: string): { readonly seq: number; readonly leaf: Buffer; readonly isErased: boolean } {
  let row: Record<string, unknown>
  try {
    row = JSON.parse(line) as Record<string, unknown>
  } catch {
    throw new BundleError(ROWS, 'a line is not JSON')
  }
  const seq = Number(row['seq'])
  const stated = Buffer.from(String(row['leaf_hash']), 'hex')
  // Of an erased person nothing is left to compute it from; the leaf itself is in the tree all the same.
  const { salt } = row
  if (salt === null) return { seq, leaf: stated, isErased: true }
  if (typeof salt !== 'string') throw new BundleError(ROWS, `seq ${seq} has no salt`)
  const camel = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
  let leaf: Buffer
  try {
    leaf = leafHash(camel as unknown as LeafRow)
  } catch {
    throw new BundleError(ROWS, `seq ${seq} is no audit row`)
  }
  if (!leaf.equals(stated)) throw new BundleError(ROWS, `seq ${seq} is not the row that was sealed`)
  return { seq, leaf, isErased: false }
}

function hashOf(file: string, base64: string): Buffer {
  const hash = strictBase64(base64)
  if (hash?.length !== 32) throw new BundleError(file, 'holds something that is no hash')
  return hash
}

function noted<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof NoteError) throw new BundleError(file, error.message)
    throw error
  }
}

async function whole(zip: Zip, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of zip.read(name)) {
    size += chunk.length
    if (size > MOST_MANIFEST_BYTES) throw new BundleError(name, 'is larger than such a file can be')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function text(zip: Zip, name: string): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of zip.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function* lines(zip: Zip, name: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0)
  for await (const chunk of zip.read(name)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      yield bytes.toString('utf8', from, end)
      from = end + 1
    }
    rest = Buffer.from(bytes.subarray(from))
  }
  if (rest.length > 0) throw new BundleError(name, 'its last line has no end')
}
