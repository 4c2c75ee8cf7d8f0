/**
 * The load generator: one process, one request under way on each connection. It speaks HTTP/1.1 on bare sockets, because a
 * client library costs more than the servers that are measured.
 *
 * @module
 */

import { connect, type Socket } from 'node:net'
import { percentile } from '../measure.ts'
import { serveCalls } from '../processes.ts'
import type { ConnectionPlan, LoadPlan, LoadResult } from './plan.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const CHUNKS_END = Buffer.from('0\r\n\r\n')

serveCalls({ load })

async function load({ port, milliseconds, connections }: LoadPlan): Promise<LoadResult> {
  const latencies: number[] = []
  const count: Failures = { failures: 0, first: undefined }
  const users = await Promise.all(connections.map((plan) => openConnection(port, plan)))
  const cpu = process.cpuUsage()
  const started = performance.now()
  const end = started + milliseconds
  const tokens = await Promise.all(users.map((user) => user.drive(end, latencies, count)))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(latencies).sort()
  return {
    requests: latencies.length,
    seconds,
    failures: count.failures,
    firstFailure: count.first,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    generatorCore: (user + system) / 1e6 / seconds,
    tokens,
  }
}

interface Failures {
  failures: number
  first: string | undefined
}

interface Connection {
  /** Sends until `end`, and waits for the last answer. @returns The newest token. */
  drive(end: number, latencies: number[], count: Failures): Promise<string | undefined>
}

async function openConnection(port: number, plan: ConnectionPlan): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return { drive: (end, latencies, count) => drive(socket, plan, end, latencies, count) }
}

function drive(
  socket: Socket,
  { request, token: firstToken, tokenField }: ConnectionPlan,
  end: number,
  latencies: number[],
  count: Failures,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let token = firstToken
    let sentAt = 0
    let pending: Buffer | undefined
    const fixed = tokenField === undefined ? Buffer.from(requestWith(request, token)) : undefined

    function send(now: number): void {
      sentAt = now
      socket.write(fixed ?? requestWith(request, token), 'latin1')
    }

    socket.on('data', (chunk) => {
      const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
      const bodyAt = bodyOf(bytes)
      if (bodyAt < 0) {
        pending = bytes
        return
      }
      pending = undefined
      const now = performance.now()
      latencies.push(now - sentAt)
      // The status stands at a fixed place: "HTTP/1.1 200".
      if (bytes[9] !== 0x32 || bytes[10] !== 0x30) {
        count.failures++
        count.first ??= bytes.toString('latin1', 0, 1500)
      } else if (tokenField !== undefined) token = tokenOf(bytes, tokenField) ?? token
      if (now < end) send(now)
      else {
        socket.destroy()
        resolve(token)
      }
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server closed a connection')))
    send(performance.now())
  })
}

/** Where the body begins, or -1 while the answer is not complete. */
function bodyOf(bytes: Buffer): number {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return -1
  const body = headEnd + HEAD_END.length
  const head = bytes.toString('latin1', 0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return bytes.length >= body + Number(length) ? body : -1
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    return bytes.length >= body + CHUNKS_END.length && bytes.subarray(-CHUNKS_END.length).equals(CHUNKS_END) ? body : -1
  }
  return body
}

/** Tokens hold no character that JSON would escape, so that the answer need not be parsed. */
function tokenOf(bytes: Buffer, field: string): string | undefined {
  const name = `"${field}":"`
  const at = bytes.indexOf(name, 0, 'latin1')
  if (at < 0) return undefined
  const start = at + name.length
  return bytes.toString('latin1', start, bytes.indexOf(0x22, start))
}

function requestWith(request: string, token: string | undefined): string {
  const text = token === undefined ? request : request.replace('{token}', token)
  return text.replace('{length}', String(text.length - text.indexOf('\r\n\r\n') - 4))
}
