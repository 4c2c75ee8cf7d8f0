import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { AuditEvent } from '@sallyport/client'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson as canonicalOfServer } from '../../../sallyport/src/audit/canonical-json.ts'
import { leafHash as leafOfServer } from '../../../sallyport/src/audit/leaf.ts'
import type { AuditRow } from '../../../sallyport/src/audit/record.ts'
import { signCheckpoint } from '../../../sallyport/src/audit/verifying/checkpoint.ts'
import { completeNodes, inclusionRanges, rangeHash } from '../../../sallyport/src/audit/verifying/merkle-proofs.ts'
import { Frontier } from '../../../sallyport/src/audit/verifying/merkle.ts'
import { writeVerifierKey } from '../../../sallyport/src/audit/verifying/signed-note.ts'
import { canonicalJson } from './canonical-json.ts'
import type { InclusionProof } from './check-event.ts'
import { checkEvent } from './check-event.ts'
import { readLogKey } from './checkpoint.ts'

const TENANT = '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'
const ORIGIN = 'id.example.com/audit/t'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const VKEY = writeVerifierKey(ORIGIN, publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))

interface Sealed {
  readonly event: AuditEvent
  readonly salt: Buffer
  readonly leaf: Buffer
}

const json = fc.jsonValue({
  maxDepth: 3,
  stringUnit: fc.constantFrom('a', 'Z', '0', ' ', 'ü', '𝄞', '"', '\\', '\n', '€'),
})
const fields = fc.option(
  fc.dictionary(fc.constantFrom('role', 'b', 'a', 'ä', '€', '𝄞'), json, { noNullPrototype: true }),
)
const words = fc.option(fc.constantFrom('', 'Berlin', 'Zoë', 'x'.repeat(300), '192.0.2.7', '"quoted"'))

const row = fc.record({
  action: fc.constantFrom('AUTH_LOGIN', 'USER_ROLE_UPDATED'),
  outcome: fc.constantFrom('SUCCESS' as const, 'FAIL' as const),
  failureReason: fc.option(fc.constantFrom('INVALID_OTP', 'FORBIDDEN')),
  actorName: words,
  city: words,
  ipAddress: words,
  userAgent: words,
  oldValue: fields,
  newValue: fields,
  metadata: fields,
  isImpersonating: fc.boolean(),
  at: fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true }),
})

/** A row as the service keeps it, and as the API shows it. */
function seal(seq: number, { at, ...given }: Parameters<Parameters<typeof row.map>[0]>[0]): Sealed {
  const common = {
    ...given,
    id: TENANT.replace('cafe', String(1000 + seq)),
    userId: null,
    staffId: null,
    sessionId: null,
    realUserId: null,
    resource: 'session',
    resourceId: null,
    country: 'DE',
    correlationId: `request-${seq}`,
  }
  const salt = randomBytes(16)
  const leaf = leafOfServer({ ...common, tenantId: TENANT, createdAt: at, salt } as unknown as AuditRow)
  const { oldValue, newValue, ...shown } = common
  const event = {
    ...shown,
    // As it arrives: through JSON.
    ...(JSON.parse(JSON.stringify({ before: oldValue, after: newValue, metadata: given.metadata })) as object),
    createdAt: at.toISOString(),
    realUserName: null,
    seal: { seq, recordedAt: at.toISOString() },
  } as unknown as AuditEvent
  return { event, salt, leaf }
}

function proofOf(rows: readonly Sealed[], at: number): InclusionProof {
  const rootOf = (leaves: readonly Sealed[]): Buffer => {
    const frontier = new Frontier()
    for (const { leaf } of leaves) frontier.append(leaf)
    return frontier.root()
  }
  const hashes = inclusionRanges(at, rows.length).map((range) =>
    rangeHash(
      completeNodes(range).map(({ level, index }) => rootOf(rows.slice(index * 2 ** level, (index + 1) * 2 ** level))),
    ).toString('base64'),
  )
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: rows.length, root: rootOf(rows) }, privateKey)
  const salt = (rows[at] as Sealed).salt.toString('hex')
  return { leafIndex: at, treeSize: rows.length, hashes, checkpoint, tenantId: TENANT, salt }
}

describe('the proof of an event, checked in the browser', () => {
  test('holds for every event of logs of every size, and for no other event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), fc.nat(), async (given, pick) => {
        const rows = given.map((one, seq) => seal(seq, one))
        const at = pick % rows.length
        const { event } = rows[at] as Sealed
        const proof = proofOf(rows, at)
        expect(await checkEvent(event, proof, VKEY)).toMatchObject({
          kind: 'holds',
          leafIndex: at,
          treeSize: rows.length,
          leaf: rows[at]?.leaf.toString('base64'),
        })
        const altered = { ...event, correlationId: `${event.correlationId}!` }
        expect(await checkEvent(altered, proof, VKEY)).toEqual({ kind: 'fails', fault: 'leaf' })
      }),
      { numRuns: 60 },
    )
  })

  const plain = {
    action: 'USER_ROLE_UPDATED',
    outcome: 'SUCCESS',
    failureReason: null,
    actorName: 'Ada',
    city: null,
    ipAddress: '192.0.2.7',
    userAgent: null,
    oldValue: { role: 'member' },
    newValue: { role: 'admin' },
    metadata: null,
    isImpersonating: false,
    at: new Date('2026-01-02T03:04:05.006Z'),
  } as const
  const log = Array.from({ length: 7 }, (_, seq) => seal(seq, plain))
  const { event } = log[4] as Sealed
  const proof = proofOf(log, 4)

  test.each([
    ['another value that was set', { after: { role: 'owner' } }],
    ['a value that was taken away', { after: null }],
    ['another name', { actorName: 'Eve' }],
    ['another outcome', { outcome: 'FAIL' }],
    ['another moment', { createdAt: '2026-01-02T03:04:05.007Z' }],
    ['another address', { ipAddress: '192.0.2.8' }],
    ['an actor who was not there', { realUserId: TENANT }],
  ])('an event with %s fails', async (_, change) => {
    const altered = { ...event, ...change } as AuditEvent
    expect(await checkEvent(altered, proof, VKEY)).toEqual({ kind: 'fails', fault: 'leaf' })
  })

  test.each([
    ['a hash that is another', { hashes: [...proof.hashes.slice(1), proof.hashes[0] as string] }, 'leaf'],
    ['a hash too few', { hashes: proof.hashes.slice(1) }, 'leaf'],
    ['a hash too many', { hashes: [...proof.hashes, proof.hashes[0] as string] }, 'leaf'],
    ['a hash that is none', { hashes: proof.hashes.map(() => 'AAAA') }, 'leaf'],
    ['another index', { leafIndex: 3 }, 'index'],
    ['another salt', { salt: '00'.repeat(16) }, 'leaf'],
    ['another tenant', { tenantId: null }, 'leaf'],
    ['a checkpoint of another size', { checkpoint: proof.checkpoint.replace('\n7\n', '\n8\n') }, 'signature'],
    ['a checkpoint of another log', { checkpoint: proof.checkpoint.replace(ORIGIN, 'evil.example') }, 'origin'],
    ['no checkpoint', { checkpoint: 'nothing' }, 'note'],
  ])('%s fails', async (_, change, fault) => {
    expect(await checkEvent(event, { ...proof, ...change }, VKEY)).toEqual({ kind: 'fails', fault })
  })

  test('another key fails, and one that is none', async () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    expect(await checkEvent(event, proof, writeVerifierKey(ORIGIN, other))).toEqual({
      kind: 'fails',
      fault: 'signature',
    })
    expect(await checkEvent(event, proof, 'nonsense')).toEqual({ kind: 'fails', fault: 'origin' })
    expect(await readLogKey(VKEY.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toBeUndefined()
  })

  test('an event whose personal data was erased says so, and still has its checkpoint checked', async () => {
    expect(await checkEvent(event, { ...proof, salt: null }, VKEY)).toEqual({ kind: 'erased' })
    const forged = { ...proof, salt: null, checkpoint: proof.checkpoint.replace('\n7\n', '\n8\n') }
    expect(await checkEvent(event, forged, VKEY)).toEqual({ kind: 'fails', fault: 'signature' })
  })
})

test('canonical JSON is the service’s', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false } as object), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value))
      let expected: string
      try {
        expected = canonicalOfServer(plain)
      } catch {
        // What the service refuses to write is in no log.
        return
      }
      expect(canonicalJson(plain)).toBe(expected)
    }),
  )
})
