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
/** The end of a load is told, and the next one begun. */
const ended = async (): Promise<void> => {
  await turn()
  await turn()
}

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

test('a crowd that finds nothing under way is divided in two, and then goes on by turns', async () => {
  const { loads, askAll, sizes } = controlled()
  const answers = askAll(0, 40)
  await turn()
  expect(sizes()).toEqual([20])
  loads[0]?.end()
  await ended()
  expect(sizes()).toEqual([20, 20])
  // The first half is back before the second is done, and is not divided again.
  const again = askAll(40, 20)
  await turn()
  expect(sizes()).toEqual([20, 20])
  loads[1]?.end()
  await ended()
  expect(sizes()).toEqual([20, 20, 20])
  loads[2]?.end()
  expect([(await answers).at(-1), (await again)[0]]).toEqual(['value 39', 'value 40'])
})

test('a database in this very process is given all that came at once', async () => {
  const { loads, askAll, sizes } = controlled({ most: 32, lanes: 1 })
  const answers = askAll(0, 20)
  await turn()
  expect(sizes()).toEqual([20])
  loads[0]?.end()
  await answers
})

test('while few are under way nobody waits for them, however many there were before', async () => {
  const { loads, ask, askAll, sizes } = controlled({ most: 32, lanes: 3 })
  const many = askAll(10, 8)
  await turn()
  loads[0]?.end()
  await many
  const answers: Promise<unknown>[] = [ask(1)]
  await turn()
  answers.push(ask(2))
  await turn()
  answers.push(askAll(3, 6))
  await turn()
  expect(sizes()).toEqual([8, 1, 1, 6])
  for (const { end } of loads) end()
  await Promise.all(answers)
})

test('while many are under way, or all lanes are taken, what comes waits and goes together', async () => {
  for (const [first, lanes] of [
    [8, 3],
    [1, 1],
  ] as const) {
    const { loads, ask, askAll, sizes } = controlled({ most: 32, lanes })
    const answers: Promise<unknown>[] = [askAll(0, first)]
    await turn()
    for (let key = 10; key < 15; key++) {
      answers.push(ask(key))
      await turn()
    }
    expect(sizes()).toEqual([first])
    loads[0]?.end()
    await answers[0]
    await turn()
    expect(sizes()).toEqual([first, 5])
    loads[1]?.end()
    await Promise.all(answers)
  }
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
