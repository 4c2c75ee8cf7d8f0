import type { AuditEvent } from '@sallyport/client'
import { beforeEach, expect, test } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, withPages } from '../testing/page.tsx'
import { useProof } from './use-proof.ts'

withPages()

const EVENT = { id: 'e1', seal: { seq: 0 } } as unknown as AuditEvent
const ORIGIN = 'auth.example.com/audit/t1'
const KEY: `GET /${string}` = 'GET /audit/key'
const PROOF: `GET /${string}` = 'GET /audit/events/e1/proof'

beforeEach(() => localStorage.clear())

/** What a proof is worth is tested beside `checkEvent`: this one is never good. */
async function open() {
  const page = openPage()
  page.answer(KEY, { origin: ORIGIN, vkey: 'first' })
  page.answer(PROOF, { leafIndex: 0, treeSize: 1, hashes: [], checkpoint: 'no note', tenantId: 't1', salt: 'AAAA' })
  return page
}

test('the proof is checked by the first key that this browser is told of', async () => {
  const page = await open()
  const proof = await page.use(() => useProof(EVENT))
  expect(proof.all[0]).toMatchObject({ data: undefined, loading: true })
  expect(page.asked().toSorted()).toEqual([PROOF, KEY].toSorted())
  expect(proof.current).toMatchObject({
    loading: false,
    data: {
      kind: 'fails',
      fault: 'note',
      key: { vkey: 'first', since: expect.stringMatching(/^2030-01-01T00:00:00/) },
    },
  })
})

test('another key than the known one is said, and checks nothing', async () => {
  const page = await open()
  await page.use(() => useProof(EVENT))
  page.answer(KEY, { origin: ORIGIN, vkey: 'second' })
  const proof = await page.use(() => useProof(EVENT))
  await during(() => proof.current.reload())
  expect(proof.current.data).toMatchObject({
    kind: 'key-changed',
    key: { vkey: 'first' },
    origin: ORIGIN,
    offered: 'second',
  })
})

test('once another key is trusted it is checked again, by that one', async () => {
  const page = await open()
  localStorage.setItem(`sallyport.log-key.${ORIGIN}`, JSON.stringify({ vkey: 'zeroth', since: '2029-01-01T00:00:00Z' }))
  const proof = await page.use(() => useProof(EVENT))
  expect(proof.current.data).toMatchObject({ kind: 'key-changed' })
  await during(() => proof.current.trust.run({ origin: ORIGIN, vkey: 'first' }))
  expect(proof.current.trust).toMatchObject({ busy: false, error: undefined })
  expect(proof.current.data).toMatchObject({ kind: 'fails', key: { vkey: 'first' } })
  expect(page.asked()).toHaveLength(4)
})

test('the key of one log says nothing of another', async () => {
  const page = await open()
  localStorage.setItem('sallyport.log-key.other', JSON.stringify({ vkey: 'zeroth', since: '2029-01-01T00:00:00Z' }))
  const proof = await page.use(() => useProof(EVENT))
  expect(proof.current.data).toMatchObject({ key: { vkey: 'first' } })
})

test('an event that is not sealed yet has no proof, which is said', async () => {
  const page = await open()
  page.answer(PROOF, () => problem(404, 'NOT_FOUND'))
  const proof = await page.use(() => useProof(EVENT))
  expect(proof.current).toMatchObject({ data: undefined, loading: false, error: { code: 'NOT_FOUND' } })
})

test('nothing is asked for before somebody looks', async () => {
  const page = await open()
  const proof = await page.use(() => useProof(EVENT, { enabled: false }))
  expect(page.asked()).toEqual([])
  expect(proof.current).toMatchObject({ data: undefined, loading: false })
})

test('left while it is on its way, both requests are given up', async () => {
  const page = await open()
  const held = [page.hold(KEY), page.hold(PROOF)]
  const proof = await page.use(() => useProof(EVENT))
  const rendered = proof.all.length
  await page.leave()
  expect(held.flatMap(({ signals }) => signals.map(({ aborted }) => aborted))).toEqual([true, true])
  expect(proof.all.length).toBe(rendered)
})
