import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'vitest'
import { HashQueue } from './hash-queue.ts'

function gate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('no more run at a time than are allowed, and all get their turn in order', async () => {
  const queue = new HashQueue({ concurrency: 2, maxWaiting: 100 })
  const order: number[] = []
  let [running, most] = [0, 0]
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      queue.run(async () => {
        order.push(index)
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      }),
    ),
  )
  equal(most, 2)
  deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test('beyond the queue the answer is UNAVAILABLE at once', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaiting: 1 })
  const { open, opened } = gate()
  const [first, second] = [queue.run(() => opened), queue.run(() => opened)]
  await rejects(
    queue.run(() => opened),
    { code: 'UNAVAILABLE' },
  )
  open()
  await Promise.all([first, second])
})

test('work that fails gives its place back', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaiting: 1 })
  await rejects(
    queue.run(() => Promise.reject(new TypeError('broken'))),
    TypeError,
  )
  equal(await queue.run(async () => 'ran'), 'ran')
})
