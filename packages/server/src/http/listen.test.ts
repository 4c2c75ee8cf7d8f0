import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Handler } from './handler.ts'
import { type Listener, listen } from './listen.ts'

let listener: Listener | undefined
afterEach(async () => listener?.stop(0))

async function serve(handle: Handler): Promise<string> {
  listener = await listen(handle, { host: '127.0.0.1', port: 0, secure: true })
  return `http://127.0.0.1:${listener.port}/`
}

test('the handler learns the address of the peer', async () => {
  const url = await serve(async (_, address) => new Response(address))
  expect(await (await fetch(url)).text()).toBe('127.0.0.1')
})

test('stopping waits for what is being answered, and takes nothing new', async () => {
  const url = await serve(async () => {
    await sleep(200)
    return new Response('done')
  })
  const answer = fetch(url)
  await sleep(50)
  const stopped = listener?.stop(5_000)
  await sleep(20)
  await expect(fetch(url)).rejects.toThrow()
  expect(await (await answer).text()).toBe('done')
  await stopped
})

test('stopping cuts off what is not done in time', async () => {
  const url = await serve(() => new Promise(() => undefined))
  const answer = fetch(url)
  answer.catch(() => undefined)
  await sleep(50)
  const started = performance.now()
  await listener?.stop(200)
  expect(performance.now() - started).toBeLessThan(2_000)
  await expect(answer).rejects.toThrow()
})

test('an idle connection that is kept alive does not hold up stopping', async () => {
  const url = await serve(async () => new Response('x'))
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  const started = performance.now()
  await listener?.stop(5_000)
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('an address that is taken is told as what to mend', async () => {
  const url = await serve(async () => new Response('x'))
  const port = Number(new URL(url).port)
  await expect(listen(async () => new Response('y'), { host: '127.0.0.1', port, secure: false })).rejects.toMatchObject(
    {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`127.0.0.1:${port}`) as string,
    },
  )
})

test.each([
  ['no HTTP', 'nonsense\r\n\r\n', 400],
  ['a header without a name', 'GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n', 400],
  ['headers that are too long', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.0\r\n\r\n', 400],
  [
    'a length beside chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
] as const)(
  '%s never reaches the handler, and is answered with the headers of all answers',
  async (_, sent, status) => {
    let reached = false
    const url = await serve(async () => {
      reached = true
      return new Response('x')
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(sent)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    for (const header of [
      'strict-transport-security: max-age=63072000; includeSubDomains',
      'x-content-type-options: nosniff',
      'referrer-policy: no-referrer',
      "content-security-policy: default-src 'none'; frame-ancestors 'none'",
      'cache-control: no-store',
    ]) {
      expect(answer.toLowerCase()).toContain(header.toLowerCase())
    }
    expect(reached).toBe(false)
  },
)

describe('a request that two readers would read differently', () => {
  const BODY = 'x=1'
  test.each<[string, string]>([
    ['a length and a chunked body', `Content-Length: ${BODY.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths that differ', `Content-Length: 3\r\nContent-Length: 4\r\n\r\n${BODY}`],
    ['two lengths in one header', `Content-Length: 3, 4\r\n\r\n${BODY}`],
    ['a length with a sign', `Content-Length: +3\r\n\r\n${BODY}`],
    ['chunked, and something after it', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['chunked, spelt by another', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', `Content-Length : 3\r\n\r\n${BODY}`],
    ['a header over two lines', `X-Long: a\r\n b\r\nContent-Length: 3\r\n\r\n${BODY}`],
    ['a bare line feed within a header', `X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a NUL within a header', `X-A: b\u0000c\r\nContent-Length: 3\r\n\r\n${BODY}`],
    ['a chunk whose size is no number', 'Transfer-Encoding: chunked\r\n\r\nz\r\n\r\n'],
  ])('%s: 400, and the connection is closed', async (_, rest) => {
    let handled = 0
    const url = await serve(async (request) => {
      handled++
      await request.text()
      return new Response('x')
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${rest}${smuggled}`)
    let answers = ''
    socket.on('data', (piece: Buffer) => (answers += piece.toString('latin1')))
    await once(socket, 'close')
    expect(answers).toMatch(/^HTTP\/1\.1 400 /)
    expect(answers).not.toContain('200 OK')
    expect(handled).toBeLessThan(2)
  })
})
