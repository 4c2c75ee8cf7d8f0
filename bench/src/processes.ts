/**
 * Servers and the load generator in processes of their own, as they are in life: none of them shares a thread with another.
 *
 * @module
 */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A started process that answers calls. */
export interface Worker {
  call<Answer>(method: string, argument?: unknown): Promise<Answer>
  /** Microseconds of processor time that it has used. */
  processorTime(): Promise<number>
  stop(): Promise<void>
}

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

/** Starts `file` of this folder. */
export function startWorker(file: string): Worker {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: [...process.execArgv],
    env: { ...process.env, NODE_ENV: 'production' },
    serialization: 'advanced',
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const waiting = new Map<number, (reply: Reply) => void>()
  let last = 0
  child.on('message', (reply: Reply) => waiting.get(reply.id)?.(reply))
  child.on('exit', (code) => {
    for (const [id, settle] of waiting) settle({ id, error: `${file} ended with ${code}` })
  })
  const call = <Answer>(method: string, argument?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, ({ answer, error }) => {
        waiting.delete(id)
        if (error === undefined) resolve(answer as Answer)
        else reject(new Error(`${file}: ${error}`))
      })
      child.send({ id, method, argument } satisfies Call)
    })
  return {
    call,
    processorTime: () => call('processorTime'),
    stop: () => stopProcess(child, ended),
  }
}

async function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.disconnect()
  const cutOff = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(cutOff)
}

/** The other end, in the process that was started: serves its methods until the parent lets go. */
export function serveCalls(methods: Readonly<Record<string, (argument: never) => unknown>>): void {
  const all: Readonly<Record<string, (argument: never) => unknown>> = { processorTime, ...methods }
  process.on('message', ({ id, method, argument }: Call) => {
    Promise.resolve()
      .then(() => {
        const found = all[method]
        if (found === undefined) throw new TypeError(`no method ${method}`)
        return found(argument as never)
      })
      .then(
        (answer) => process.send?.({ id, answer } satisfies Reply),
        (error: unknown) => {
          const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
          process.send?.({ id, error: text } satisfies Reply)
        },
      )
  })
  process.on('disconnect', () => process.exit(0))
}

function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
