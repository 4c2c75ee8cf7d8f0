import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { batched } from './batcher.ts'

/** Loads that end when they are told to. */
function controlled(options = { most: 32, lanes: 2 }) {
  const loads: { keys: readonly number[]; end: () => void; fail: (error: Error) => void }[] = []
  const ask = batched(
    (keys: readonly number[]) =>
      new Promise<readonly string[]>((resolve, reject) => {
        loads.push({ keys, end: () => resolve(keys.map((key) => `value ${key}`)), fail: reject })
      }),
    options,
  )
  const askAll = (from: number, count: number) => Promise.all(Array.from({ length: count }, (_, at) => ask(from + at)))
  return { loads, ask, askAll, sizes: () => loads.map(({ keys }) => keys.length) }
}

/** One turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

test('what is asked for in one turn goes together, and each is answered for its own key', async () => {
  const { loads, ask } = controlled()
  const answers = Promise.all([ask(3), ask(1), ask(2)])
  await turn()
  expect(loads.map(({ keys }) => keys)).toEqual([[3, 1, 2]])
  loads[0]?.end()
  expect(await answers).toEqual(['value 3', 'value 1', 'value 2'])
})

test('with nothing under way, eight do not wait for the rest of their turn', async () => {
  const { loads, askAll, sizes } = controlled()
  const answers = askAll(0, 16)
  expect(sizes()).toEqual([8])
  await turn()
  expect(sizes()).toEqual([8, 8])
  for (const { end } of loads) end()
  expect((await answers).at(-1)).toBe('value 15')
})

test('while all lanes are taken, what comes waits and goes together', async () => {
  const { loads, ask, sizes } = controlled()
  const first = ask(1)
  await turn()
  const second = ask(2)
  await turn()
  const later: Promise<string>[] = []
  for (let key = 3; key < 8; key++) {
    later.push(ask(key))
    await turn()
  }
  expect(sizes()).toEqual([1, 1])
  loads[0]?.end()
  await first
  await turn()
  expect(sizes()).toEqual([1, 1, 5])
  loads[1]?.end()
  loads[2]?.end()
  await Promise.all([second, ...later])
})

test('no load takes more than the most, and none is left behind', async () => {
  const { loads, askAll, sizes } = controlled({ most: 10, lanes: 1 })
  const answers = askAll(0, 25)
  for (let load = 0; load < 4; load++) {
    await turn()
    loads[load]?.end()
    await turn()
  }
  expect(sizes()).toEqual([10, 10, 5])
  expect(await answers).toHaveLength(25)
})

test('a load that waits for somebody keeps nobody waiting behind it', async () => {
  const { loads, ask } = controlled({ most: 32, lanes: 1 })
  const stuck = ask(1)
  await turn()
  const behind = ask(2)
  await turn()
  expect(loads).toHaveLength(1)
  vi.advanceTimersByTime(20)
  await turn()
  expect(loads).toHaveLength(2)
  loads[1]?.end()
  expect(await behind).toBe('value 2')
  loads[0]?.end()
  expect(await stuck).toBe('value 1')
  // The one that was slow does not give its lane back twice.
  const [third, fourth] = [ask(3), turn().then(() => ask(4))]
  await turn()
  await turn()
  expect(loads).toHaveLength(3)
  loads[2]?.end()
  await third
  await turn()
  loads[3]?.end()
  await fourth
})

test('one that fails fails for those that were in it, and the next goes through', async () => {
  const { loads, ask } = controlled()
  const failing = ask(1)
  await turn()
  loads[0]?.fail(new Error('away'))
  await expect(failing).rejects.toThrow('away')
  const next = ask(2)
  await turn()
  loads[1]?.end()
  expect(await next).toBe('value 2')
})

test('a load that answers at once lets timers and everybody else have their turn', async () => {
  const ask = batched(async (keys: readonly number[]) => keys, { most: 32, lanes: 3 })
  let asked = 0
  let over = false
  const loops = Array.from({ length: 16 }, async () => {
    while (!over && asked < 100_000) await ask(asked++)
  })
  await turn()
  await turn()
  over = true
  await Promise.all(loops)
  expect(asked).toBeLessThan(1000)
})
