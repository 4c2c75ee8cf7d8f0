/**
 * Recomputes a log from its rows and names the first thing that is wrong with it, at constant memory.
 *
 * @module
 */

import type { LedgerStore, LogHead, LogId, SignedState, StoredCheckpoint } from '../store/contract/ledger.ts'
import { NODE_LEVELS } from '../store/contract/ledger.ts'
import type { Remark, RunResult } from './check-run.ts'
import type { Finding } from './finding.ts'
import { vkeyOf } from './log-key.ts'
import { originOf } from './log.ts'
import { OrderOfRows } from './placed.ts'
import { runCheckers } from './run-checkers.ts'
import type { Checkpoint } from './verifying/checkpoint.ts'
import { readCheckpoint, verifyCheckpoint } from './verifying/checkpoint.ts'
import { Frontier, HASH_BYTES } from './verifying/merkle.ts'
import type { VerifierKey } from './verifying/signed-note.ts'
import { NoteError, readVerifierKey } from './verifying/signed-note.ts'

export interface VerifyLogDeps {
  readonly store: {
    readonly ledger: Pick<
      LedgerStore,
      | 'head'
      | 'sealed'
      | 'sealFrom'
      | 'nodes'
      | 'leaves'
      | 'counted'
      | 'unaccounted'
      | 'doubtfulPending'
      | 'keys'
      | 'signed'
      | 'checkpoints'
    >
  }
  readonly settings: { readonly issuer: string }
}

export interface VerifyLogOptions {
  /** Checkpoints that were kept outside of the database: signed notes. Those of other logs are passed over. */
  readonly kept?: readonly string[] | undefined
  /** The key that an auditor has pinned. Defaults to the keys in the database, which whoever changes it can change too. */
  readonly vkey?: string | undefined
  /** How many threads hash. Defaults to one for each core but one, two at least and four at most. One is the caller's own, as for a short log. */
  readonly threads?: number | undefined
  /** Is told the rows checked so far, every few thousand. */
  readonly progress?: ((rows: number) => void) | undefined
}

/** What became of verifying one log. */
export interface LogVerdict {
  readonly log: LogId
  readonly origin: string
  /** Rows that were recomputed. */
  readonly rows: number
  /** The root that they come to, in hexadecimal. */
  readonly root: string
  /** Signed checkpoints that the rows came to. */
  readonly checkpoints: number
  /** Rows whose content retention has removed, with a row in the log that says so. */
  readonly purged: number
  /** Rows that a person's data was erased from, with a row in the log that says so. */
  readonly erased: number
  readonly finding: Finding | undefined
}

/** A power of two, so that a run is a subtree; small enough that a few of them may be in memory. */
const RUN_ROWS = 8192
const STRAY_CHUNK = 20_000
const GROUP = 2 ** NODE_LEVELS

/** Leaves whose hash, as it was when they were sealed, is known from somewhere else. */
interface Cell {
  readonly start: number
  readonly end: number
  readonly expected: Buffer
}

/** A signed size that the rows must come to. */
interface Milestone {
  readonly size: number
  readonly root: Buffer
  readonly what: string
}

/**
 * Verifies one log. Rows that are sealed while it runs are not looked at.
 *
 * @param runRows How many rows are checked by themselves; a power of two, and at least 16.
 */
export async function verifyLog(
  deps: VerifyLogDeps,
  log: LogId,
  options: VerifyLogOptions = {},
  runRows: number = RUN_ROWS,
): Promise<LogVerdict> {
  const pass = new Pass(deps, log, options, runRows)
  const finding = (await pass.run()) ?? undefined
  return {
    log,
    origin: originOf(deps.settings.issuer, log),
    rows: pass.frontier.size,
    root: pass.frontier.root().toString('hex'),
    checkpoints: pass.met,
    purged: pass.purged,
    erased: pass.erased,
    finding,
  }
}

class Pass {
  readonly frontier = new Frontier()
  met = 0
  purged = 0
  erased = 0
  readonly #deps: VerifyLogDeps
  readonly #log: LogId
  readonly #options: VerifyLogOptions
  readonly #runRows: number
  readonly #order = new OrderOfRows()
  #head: LogHead | undefined
  /** The last size that something signed agreed with. */
  #agreed = 0
  /** Groups of leaves that are not what was kept of them, the first few. */
  readonly #doubted: Cell[] = []
  /** Rows without content that no purge has accounted for yet, as ranges. */
  #missing: { start: number; end: number; readonly id: string }[] = []
  /** Rows whose personal columns and salt are gone, that no erasure has accounted for yet. */
  readonly #erased = new Map<number, string>()
  #milestones: Milestone[] = []
  #keys: ReadonlyMap<number, VerifierKey> = new Map()
  /** Numbers of the keys that the pinned one vouches for, itself and those before it included; `undefined` where none is pinned. */
  #vouched: Set<number> | undefined
  #takenUp: Pick<StoredCheckpoint, 'size' | 'keyEpoch'> = { size: 0, keyEpoch: 0 }
  /** What of the signatures does not hold; told where no row is to blame. */
  #signatures: Finding | undefined

  constructor(deps: VerifyLogDeps, log: LogId, options: VerifyLogOptions, runRows: number) {
    this.#deps = deps
    this.#log = log
    this.#options = options
    this.#runRows = runRows
  }

  /** The first finding by seq; what concerns no row comes last. */
  async run(): Promise<Finding | undefined> {
    const { ledger } = this.#deps.store
    // What was signed before the head: the head can only be further on then.
    const signed = await ledger.signed(this.#log)
    await this.#readMilestones(signed)
    const head = await ledger.head(this.#log)
    this.#head = head
    const found =
      (await this.#rows(head?.size ?? 0)) ??
      (await this.#end(head, signed)) ??
      (await this.#beyond(head?.size ?? 0)) ??
      (await this.#strays()) ??
      this.#signatures
    const [erased] = this.#erased
    const [missing] = this.#missing
    if (
      erased !== undefined &&
      (missing === undefined || erased[0] < missing.start) &&
      (found?.seq === undefined || found.seq > erased[0])
    ) {
      const [seq, id] = erased
      return {
        kind: 'altered',
        seq,
        id,
        message: `row ${seq} (${id}) was altered: its personal columns and their salt are gone, and no erasure accounts for it`,
      }
    }
    if (missing !== undefined && (found?.seq === undefined || found.seq > missing.start)) {
      return {
        kind: 'deleted',
        seq: missing.start,
        ...(missing.end > missing.start + 1 && { lastSeq: missing.end - 1 }),
        id: missing.id,
        message: `row ${missing.start} was deleted: its seal is there, the audit row ${missing.id} is not, and no purge accounts for it`,
      }
    }
    return found
  }

  /** Reads the log run by run, and puts what is found of each together in their order. */
  async #rows(size: number): Promise<Finding | undefined> {
    const checkers = await runCheckers(size, this.#options.threads)
    try {
      const underWay: Promise<RunResult>[] = []
      for (let first = 0; first < size; first += this.#runRows) {
        const end = Math.min(size, first + this.#runRows)
        await this.#nextMilestones(first, this.#runRows)
        const sizes = this.#milestones.map((one) => one.size).filter((one) => one >= first && one <= end)
        const run = checkers.begin({ first, end, sizes })
        await this.#deps.store.ledger.sealed(this.#log, { first, end }, (lines) => run.page(lines))
        const result = run.end()
        // Waited for further on; one that fails meanwhile is no failure that nobody handles.
        result.catch(() => undefined)
        underWay.push(result)
        const found = underWay.length > checkers.ahead ? await this.#take(underWay.shift()) : undefined
        if (found !== undefined) return found
      }
      for (const result of underWay) {
        const found = await this.#take(result)
        if (found !== undefined) return found
      }
      return undefined
    } finally {
      await checkers.close()
    }
  }

  async #take(run: Promise<RunResult> | undefined): Promise<Finding | undefined> {
    const result = await run
    if (result === undefined) return undefined
    const found =
      this.#takeOrder(result) ??
      this.#takeRows(result) ??
      (await this.#compareNodes(this.#takeTree(result))) ??
      (await this.#compareMilestones())
    if (found === undefined) this.#options.progress?.(this.frontier.size)
    return found
  }

  /** The rows on both sides of where two runs meet, and what the run says of the order within itself. */
  #takeOrder({ rows, head, tail, outOfOrder, remarks }: RunResult): Finding | undefined {
    for (const remark of remarks) this.#remark(remark)
    for (const placed of head) {
      const found = this.#order.next(placed)
      if (found !== undefined) return found
    }
    this.#order.outOfOrder ??= outOfOrder
    if (rows > head.length) this.#order.resume(tail)
    return undefined
  }

  /** What is signed of the run's rows, and the first of them that is not what it should be. */
  #takeRows({ signed, finding, ...result }: RunResult): Finding | undefined {
    for (const { size, frontier } of signed) {
      if (this.#milestones[0]?.size !== size) continue
      const then = this.frontier.copy()
      grow(then, size - result.first, frontier)
      this.#passed(size, then.root())
    }
    if (finding !== undefined) grow(this.frontier, result.rows, result.frontier)
    return finding
  }

  /** Adds the run to the tree. @returns The subtrees whose hash is kept, smaller ones first. */
  #takeTree({ rows, frontier, nodes }: RunResult): readonly Cell[] {
    const kept = nodes.map(cellOf)
    grow(this.frontier, rows, frontier, (node) => {
      if (node.level % NODE_LEVELS === 0) kept.push(cellOf(node))
    })
    return kept
  }

  #remark(remark: Remark): void {
    switch (remark.kind) {
      case 'missing': {
        const { start, end, id } = remark
        const last = this.#missing.at(-1)
        if (last?.end === start) last.end = end
        else this.#missing.push({ start, end, id })
        this.purged += end - start
        break
      }
      case 'erased':
        this.#erased.set(remark.seq, remark.id)
        break
      case 'purged':
        this.#accountFor(remark.metadata)
    }
  }

  /** A purge of audit rows, and the erasure of a person in them, say in the log itself which they took. */
  #accountFor(metadata: unknown): void {
    const { table, firstSeq, lastSeq, erasedSeqs } = (metadata ?? {}) as Readonly<Record<string, unknown>>
    if (typeof erasedSeqs === 'string') {
      for (const run of erasedSeqs.split(',')) {
        const [first = '', last = first] = run.split('-')
        // Bounded by what was found erased, and not by what the row says.
        for (const seq of this.#erased.keys()) if (seq >= Number(first) && seq <= Number(last)) this.#forgotten(seq)
      }
    }
    if (table !== 'audit_logs' || typeof firstSeq !== 'number' || typeof lastSeq !== 'number') return
    this.#missing = this.#missing.flatMap(({ start, end, id }) => {
      const left = { start, end: Math.min(end, firstSeq), id }
      const right = { start: Math.max(start, lastSeq + 1), end, id }
      return [left, right].filter((part) => part.start < part.end)
    })
  }

  #forgotten(seq: number): void {
    this.#erased.delete(seq)
    this.erased++
  }

  #passed(size: number, come: Buffer): void {
    const agreeing = this.#milestones.filter((one) => one.size === size)
    if (agreeing.every(({ root }) => root.equals(come))) {
      this.#milestones = this.#milestones.filter((one) => one.size !== size)
      this.met += agreeing.length
      this.#agreed = size
    }
  }

  /** A group whose hash is not the one kept is no verdict yet: somebody may have changed the kept one. What is signed decides. */
  async #compareNodes(computed: readonly Cell[]): Promise<Finding | undefined> {
    if (computed.length === 0) return undefined
    const refs = computed.map(({ start, end }) => ({ level: Math.log2(end - start), index: start / (end - start) }))
    const stored = new Map(
      (await this.#deps.store.ledger.nodes(this.#log, refs)).map(({ level, index, hash }) => [
        `${level}/${index}`,
        hash,
      ]),
    )
    for (const [at, { start, end, expected }] of computed.entries()) {
      const { level, index } = refs[at] as { level: number; index: number }
      const hash = stored.get(`${level}/${index}`)
      if (hash?.equals(expected) === true) continue
      // Larger subtrees are wrong because of the smaller in them, which come first.
      if (this.#doubted.some((cell) => cell.start >= start && cell.end <= end)) continue
      if (this.#doubted.length < 64) this.#doubted.push({ start, end, expected: hash ?? Buffer.alloc(0) })
    }
    return undefined
  }

  async #compareMilestones(): Promise<Finding | undefined> {
    const wrong = this.#milestones.find(({ size }) => size <= this.frontier.size)
    return wrong === undefined ? undefined : this.#moved(wrong.size, wrong.what)
  }

  /** After the last row: the head, what was signed, and whatever is signed beyond the end. */
  async #end(head: LogHead | undefined, signed: SignedState | undefined): Promise<Finding | undefined> {
    const { frontier } = this
    await this.#nextMilestones(frontier.size, 1)
    const beyond = this.#milestones.find(({ size }) => size > frontier.size)
    if (beyond !== undefined) {
      return {
        kind: 'truncated',
        seq: frontier.size,
        lastSeq: beyond.size - 1,
        message: `the log was cut off: it has ${frontier.size} rows, and ${beyond.what} is of ${beyond.size}; rows ${frontier.size} to ${beyond.size - 1} are gone`,
      }
    }
    if (signed !== undefined && signed.size > frontier.size) {
      return {
        kind: 'truncated',
        seq: frontier.size,
        lastSeq: signed.size - 1,
        message: `the log was cut off: it has ${frontier.size} rows, and ${signed.size} were signed`,
      }
    }
    if (head !== undefined && !head.frontier.equals(frontier.toBytes())) {
      return this.#moved(frontier.size, `the log's head`)
    }
    const [node] = this.#doubted
    if (node === undefined) return undefined
    return {
      kind: 'node',
      seq: node.start,
      lastSeq: node.end - 1,
      message: `the rows ${node.start} to ${node.end - 1} are what was signed, but the hash kept of them together (audit_nodes) was altered or deleted`,
    }
  }

  /** The rows hash as they should, each by itself, and together they are not what `what` says: they stand in another order, or another row. */
  async #moved(size: number, what: string): Promise<Finding> {
    for (const cell of this.#head === undefined ? [] : tailOf(this.#head)) {
      const leaves = await this.#deps.store.ledger.leaves(this.#log, cell.start, cell.end)
      if (!cell.expected.equals(rootOf(leaves))) this.#doubted.push(cell)
    }
    const [first, second] = this.#doubted
    const swap = first && (await this.#swapIn(first, second))
    if (swap !== undefined) {
      return {
        kind: 'reordered',
        seq: swap[0],
        lastSeq: swap[1],
        message: `rows ${swap[0]} and ${swap[1]} were swapped: exchanged, they come to what was sealed`,
      }
    }
    const hint = this.#order.outOfOrder
    if (
      hint !== undefined &&
      hint.seq >= this.#agreed &&
      (first === undefined || (hint.seq >= first.start && hint.seq < first.end))
    ) {
      return {
        kind: 'reordered',
        seq: hint.seq,
        id: hint.id,
        message: `row ${hint.seq} (${hint.id}) was inserted or moved: it is out of order, and ${what} of ${size} rows is not what they come to`,
      }
    }
    const start = first?.start ?? this.#agreed
    const end = Math.min(first?.end ?? size, size)
    return {
      kind: 'rewritten',
      seq: start,
      lastSeq: end - 1,
      message: `rows ${start} to ${end - 1} hold the first that was replaced, inserted or moved: ${what} of ${size} rows is not what they come to`,
    }
  }

  /** Two rows that changed places, in one group or across the first two that are not what was kept of them. */
  async #swapIn(first: Cell, second: Cell | undefined): Promise<readonly [number, number] | undefined> {
    const { ledger } = this.#deps.store
    if (first.end - first.start > GROUP || (second && second.end - second.start > GROUP)) return undefined
    const ours = await ledger.leaves(this.#log, first.start, first.end)
    const theirs = second === undefined ? [] : await ledger.leaves(this.#log, second.start, second.end)
    for (const [i, one] of ours.entries()) {
      for (const [j, other] of ours.entries()) {
        if (j > i && first.expected.equals(rootOf(ours.with(i, other).with(j, one)))) {
          return [first.start + i, first.start + j]
        }
      }
      for (const [j, other] of theirs.entries()) {
        if (
          second !== undefined &&
          first.expected.equals(rootOf(ours.with(i, other))) &&
          second.expected.equals(rootOf(theirs.with(j, one)))
        ) {
          return [first.start + i, second.start + j]
        }
      }
    }
    return undefined
  }

  /** A seal behind the head was put there by no sealer. */
  async #beyond(size: number): Promise<Finding | undefined> {
    const { ledger } = this.#deps.store
    let from = size
    for (;;) {
      const sealed = await ledger.sealFrom(this.#log, from)
      if (sealed === undefined) return undefined
      const now = (await ledger.head(this.#log))?.size ?? 0
      if (sealed.seq >= now) {
        return {
          kind: 'inserted',
          seq: sealed.seq,
          id: sealed.id,
          message: `row ${sealed.seq} (${sealed.id}) was inserted: the log's head is at ${now} rows`,
        }
      }
      from = now
    }
  }

  /** Rows in the audit log that never went by the sealer. */
  async #strays(): Promise<Finding | undefined> {
    const { ledger } = this.#deps.store
    const waiting = await ledger.doubtfulPending(this.#log)
    if (waiting !== undefined) {
      return {
        kind: 'waiting',
        id: waiting,
        message: `the row ${waiting}, which waits to be sealed, was altered or deleted`,
      }
    }
    // Of every sealed row this pass has seen whether its audit row is there. Where the numbers add up, no other row can be.
    const { rows, seals, waiting: waits } = await ledger.counted(this.#log)
    if (rows === seals - this.purged + waits) return undefined
    let after: string | undefined
    do {
      const { id, last } = await ledger.unaccounted(this.#log, after, STRAY_CHUNK)
      if (id !== undefined) {
        return {
          kind: 'inserted',
          id,
          message: `the audit row ${id} was inserted: it is neither sealed nor waits to be`,
        }
      }
      after = last
    } while (after !== undefined)
    return undefined
  }

  /** What was kept outside and what was signed last. */
  async #readMilestones(signed: SignedState | undefined): Promise<void> {
    const { ledger } = this.#deps.store
    const keys = (await ledger.keys(this.#log)).map(({ epoch, publicKey }) => ({
      epoch,
      key: readVerifierKey(vkeyOf(this.#deps, this.#log, publicKey)),
    }))
    const pinned = this.#options.vkey === undefined ? undefined : readVerifierKey(this.#options.vkey)
    const origin = originOf(this.#deps.settings.issuer, this.#log)
    const bad = (what: string, error: unknown): void => this.#unsound(what, error)

    for (const note of this.#options.kept ?? []) {
      try {
        if (readCheckpoint(note).origin !== origin) continue
        // Of the database's keys too: a note from outside of it can only ask more of the log.
        const checkpoint = verifiedByAny(note, [
          ...(pinned === undefined ? [] : [pinned]),
          ...keys.map(({ key }) => key),
        ])
        this.#milestones.push({ ...checkpoint, what: 'the checkpoint kept outside' })
      } catch (error) {
        bad('the checkpoint kept outside', error)
      }
    }
    if (signed !== undefined && signed.size > 0) {
      try {
        const root = Frontier.fromBytes(signed.size, signed.frontier).root()
        this.#milestones.push({ size: signed.size, root, what: 'what was signed last' })
      } catch (error) {
        bad('what was signed last (audit_signed)', error)
      }
    }
    const number = keys.find(({ key }) => key.idHex === pinned?.idHex && key.name === pinned.name)?.epoch
    if (pinned !== undefined && number === undefined) {
      bad('the key given', new NoteError('the log is signed by another'))
    }
    if (number !== undefined) {
      this.#vouched = new Set(keys.flatMap(({ epoch }) => (epoch <= number ? [epoch] : [])))
    }
    this.#keys = new Map(keys.map(({ epoch, key }) => [epoch, key]))
  }

  /** Takes up the checkpoints of the rows that come next, few at a time: a log has one for each minute of its life. */
  async #nextMilestones(from: number, limit: number): Promise<void> {
    for (const stored of await this.#deps.store.ledger.checkpoints(this.#log, from + 1, limit)) {
      const { size, keyEpoch, note } = stored
      // Some reach beyond this chunk, and were taken up with the one before.
      if (size < this.#takenUp.size || (size === this.#takenUp.size && keyEpoch <= this.#takenUp.keyEpoch)) continue
      this.#takenUp = stored
      const key = this.#keys.get(keyEpoch)
      try {
        if (key === undefined) throw new NoteError('its key is gone')
        const { origin } = readCheckpoint(note)
        if (origin !== key.name) throw new NoteError(`it is of ${origin}: the service was under another address then`)
        const checkpoint = verifyCheckpoint(note, key)
        this.#vouch(note, keyEpoch)
        if (checkpoint.size !== size) throw new NoteError(`it signs ${checkpoint.size} rows`)
        this.#milestones.push({ ...checkpoint, what: 'the signed checkpoint' })
      } catch (error) {
        this.#unsound(`the checkpoint of ${size} rows`, error)
      }
    }
    this.#milestones.sort((one, other) => one.size - other.size)
  }

  /** A key is taken for the log's when one that is has signed the same checkpoint: whoever can only write to the database cannot have that. */
  #vouch(note: string, epoch: number): void {
    if (this.#vouched === undefined || this.#vouched.has(epoch)) return
    const trusted = [...this.#keys].flatMap(([number, key]) => (this.#vouched?.has(number) === true ? [key] : []))
    try {
      verifiedByAny(note, trusted)
    } catch {
      throw new NoteError(`its key, the log's number ${epoch}, is none that the key given vouches for`)
    }
    this.#vouched.add(epoch)
  }

  #unsound(what: string, error: unknown): void {
    const reason = error instanceof NoteError ? error.message : String(error)
    this.#signatures ??= { kind: 'checkpoint', message: `${what} does not hold: ${reason}` }
  }
}

/** Appends what a run of that many rows comes to: its complete subtrees, largest first. */
function grow(
  tree: Frontier,
  rows: number,
  frontier: Uint8Array,
  completed?: (node: { level: number; index: number; hash: Buffer }) => void,
): void {
  let at = 0
  for (let level = Math.floor(Math.log2(rows)); level >= 0; level--) {
    if (Math.floor(rows / 2 ** level) % 2 === 0) continue
    tree.append(frontier.subarray(at, at + HASH_BYTES), completed, level)
    at += HASH_BYTES
  }
}

function cellOf({ level, index, hash }: { level: number; index: number; hash: Uint8Array }): Cell {
  const width = 2 ** level
  return { start: index * width, end: (index + 1) * width, expected: Buffer.from(hash) }
}

function verifiedByAny(note: string, keys: readonly VerifierKey[]): Checkpoint {
  let reason: unknown = new NoteError('the log has no key')
  for (const key of keys) {
    try {
      return verifyCheckpoint(note, key)
    } catch (error) {
      reason = error
    }
  }
  throw reason
}

/** The complete subtrees at the end of a log that are too small for a stored node. */
function tailOf({ size, frontier }: LogHead): readonly Cell[] {
  const cells: Cell[] = []
  let end = size
  for (let at = frontier.length; at > 0 && end % GROUP !== 0; at -= 32) {
    let width = 1
    while (end % (width * 2) === 0) width *= 2
    cells.unshift({ start: end - width, end, expected: frontier.subarray(at - 32, at) })
    end -= width
  }
  return cells
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  const frontier = new Frontier()
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root()
}
