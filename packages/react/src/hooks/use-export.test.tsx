import { beforeEach, expect, test, vi } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import type { Route } from '../testing/page.tsx'
import { during, openPage, pass, settle, withPages } from '../testing/page.tsx'
import type { ExportInput, ExportState } from './use-export.ts'
import { useEvidenceBundle, useExport, useProofFile } from './use-export.ts'

withPages()

/** What the person has on their machine. */
const saved: { readonly name: string; readonly blob: Blob }[] = []
const revoked: string[] = []

beforeEach(() => {
  saved.length = revoked.length = 0
  const blobs = new Map<string, Blob>()
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    const address = `blob:https://app.example.com/${blobs.size}`
    blobs.set(address, blob as Blob)
    return address
  })
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((address) => void revoked.push(address))
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: blobs.get(this.href) as Blob })
  })
})

/** A file that arrives as the test says. */
function transfer(headers: Record<string, string> = { 'content-disposition': 'attachment; filename="log.csv"' }) {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  return {
    response: new Response(body, { headers: { 'content-type': 'text/csv', ...headers } }),
    arrive: async (text: string) => {
      controller.enqueue(new TextEncoder().encode(text))
      await settle()
    },
    end: async () => {
      controller.close()
      await settle()
    },
    breakOff: (reason: unknown) => controller.error(reason),
  }
}

const INPUT: ExportInput = { file: 'audit-logs.csv' }
const ROUTE: Route = 'GET /compliance/export/audit-logs.csv'

/** Any of the three, with an input that is its own. */
function downloading<Input>(name: string, useFile: () => ExportState<Input>, input: Input, route: Route) {
  const useIt = () => {
    const { run, input: given, ...state } = useFile()
    return { ...state, isOfInput: given === input, begin: () => run(input) }
  }
  return { name, route, useIt }
}

test.each([
  downloading('useExport', useExport, INPUT, ROUTE),
  downloading('useEvidenceBundle', useEvidenceBundle, { from: '2030-01-01' }, 'POST /compliance/evidence-bundles'),
  downloading('useProofFile', useProofFile, 'e1', 'GET /audit/events/e1/proof.tlog-proof'),
])('$name keeps the file that the service makes, under its name', async ({ useIt, route }) => {
  const page = openPage()
  const { response, arrive, end } = transfer()
  page.answer(route, response)
  const file = await page.use(useIt)
  expect(file.current).toMatchObject({ busy: false, received: 0 })
  const run = await during(() => ({ outcome: file.current.begin() }))
  expect(page.asked()).toEqual([route])
  expect(file.current).toMatchObject({ busy: true, isOfInput: true })
  await arrive('one,')
  await arrive('two')
  expect(saved).toEqual([])
  await end()
  expect(await run.outcome).toEqual({ ok: true, value: { name: 'log.csv', bytes: 7 } })
  expect(file.current).toMatchObject({ busy: false, received: 7, error: undefined })
  expect(saved.map(({ name }) => name)).toEqual(['log.csv'])
  expect(await saved[0]?.blob.text()).toBe('one,two')
  expect(saved[0]?.blob.type).toBe('text/csv')
  expect(page.sallyport.page.getState().notices.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^log\.csv saved, 7 byte/),
  ])
})

test('how much has arrived is shown as it comes, a few times a second', async () => {
  const page = openPage()
  const { response, arrive, end } = transfer()
  page.answer(ROUTE, response)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  for (const _ of 'abc') await arrive('12345')
  await pass(200)
  await arrive('12345')
  expect(file.current.received).toBe(20)
  const rendered = file.all.length
  for (const _ of 'abc') await arrive('1')
  expect(file.all.length - rendered).toBeLessThan(3)
  await end()
  expect(file.current.received).toBe(23)
})

test('the next file begins at nothing', async () => {
  const page = openPage()
  const first = transfer()
  page.answer(ROUTE, first.response)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  await first.arrive('1234')
  await first.end()
  expect(file.current.received).toBe(4)
  page.answer(ROUTE, transfer().response)
  await during(() => void file.current.run(INPUT))
  expect(file.current).toMatchObject({ busy: true, received: 0 })
})

test('a transfer that breaks off is refused, and what arrived is not kept', async () => {
  const page = openPage()
  const { response, arrive, breakOff } = transfer()
  page.answer(ROUTE, response)
  const file = await page.use(() => useExport())
  const run = await during(() => ({ outcome: file.current.run(INPUT) }))
  await arrive('half of')
  await during(() => breakOff(new TypeError('terminated')))
  expect(await run.outcome).toMatchObject({ ok: false, error: { code: 'UNEXPECTED' } })
  expect(file.current).toMatchObject({ busy: false, input: INPUT, error: { code: 'UNEXPECTED' } })
  expect(saved).toEqual([])
  expect(page.sallyport.page.getState().notices).toEqual([])
})

test('an export that is refused keeps nothing', async () => {
  const page = openPage()
  page.answer(ROUTE, () => problem(409, 'CONFLICT'))
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  expect(file.current).toMatchObject({ busy: false, error: { code: 'CONFLICT' } })
  expect(saved).toEqual([])
})

test('cancelled before it is answered, the request is given up', async () => {
  const page = openPage()
  const { signals } = page.hold(ROUTE)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  await during(() => file.current.cancel())
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  expect(file.current).toMatchObject({ busy: false, error: { code: 'CLOSED' } })
})

test('cancelled half-way, nothing is kept, and it can be begun again', async () => {
  const page = openPage()
  const held = page.hold(ROUTE)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  const { response, arrive, breakOff } = transfer()
  // As of a real request: its body ends with its signal.
  held.signals[0]?.addEventListener('abort', () => breakOff(held.signals[0]?.reason))
  await held.release(response)
  await arrive('half of')
  await during(() => file.current.cancel())
  expect(file.current).toMatchObject({ busy: false, error: { code: 'CLOSED' } })
  expect(saved).toEqual([])
  const again = transfer()
  page.answer(ROUTE, again.response)
  await during(() => void file.current.run(INPUT))
  await again.end()
  expect(saved).toHaveLength(1)
})

test('there is nothing to cancel before anything was begun', async () => {
  const file = await openPage().use(() => useExport())
  await during(() => file.current.cancel())
  expect(file.current).toMatchObject({ busy: false, error: undefined })
})

test.each([
  ['attachment; filename="../../etc/passwd"', 'export'],
  ['attachment; filename="a b.csv"', 'export'],
  ['attachment', 'export'],
  ['attachment; filename="evidence_2030-01-01.zip"', 'evidence_2030-01-01.zip'],
])('a file that comes as %s is kept as %s', async (disposition, name) => {
  const page = openPage()
  const { response, end } = transfer({ 'content-disposition': disposition })
  page.answer(ROUTE, response)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  await end()
  expect(saved.map((one) => one.name)).toEqual([name])
})

test('an answer without a body is a file too', async () => {
  const page = openPage()
  page.answer(ROUTE, new Response(null, { headers: { 'content-disposition': 'attachment; filename="empty.csv"' } }))
  const file = await page.use(() => useExport())
  expect(await during(() => file.current.run(INPUT))).toEqual({ ok: true, value: { name: 'empty.csv', bytes: 0 } })
})

test('what the browser has read is let go of, and not before', async () => {
  const page = openPage()
  const { response, end } = transfer()
  page.answer(ROUTE, response)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  await end()
  await pass(50_000)
  expect(revoked).toEqual([])
  await pass(20_000)
  expect(revoked).toEqual(['blob:https://app.example.com/0'])
})

test('left while a file is on its way, it arrives nevertheless, and nothing is rendered', async () => {
  const page = openPage()
  const { response, arrive, end } = transfer()
  page.answer(ROUTE, response)
  const file = await page.use(() => useExport())
  await during(() => void file.current.run(INPUT))
  await page.leave()
  const rendered = file.all.length
  await arrive('all of it')
  await end()
  expect(saved).toHaveLength(1)
  expect(file.all.length).toBe(rendered)
})
