/**
 * A thread that checks runs of a log, one after the other.
 *
 * @module
 */

import { parentPort } from 'node:worker_threads'
import { RunCheck } from './check-run.ts'
import type { FromThread, ToThread } from './run-checkers.ts'

let check: RunCheck | undefined

const say = (message: FromThread): void => parentPort?.postMessage(message)

parentPort?.on('message', (message: ToThread) => {
  if ('begin' in message) check = new RunCheck(message.begin)
  else if ('lines' in message) check?.page(Buffer.from(message.lines.buffer, 0, message.lines.length))
  else if (check !== undefined) say(check.end())
})
say('ready')
