import { expect, test } from 'vitest'
import { SallyportError } from '../../errors.ts'
import { appendTogether } from './append-together.ts'

const pause = () => new Promise((resolve) => setImmediate(resolve))

test('who comes while statements are under way goes with the next, each row once', async () => {
  const statements: number[][] = []
  const append = appendTogether<number>(async (rows) => {
    statements.push([...rows])
    await pause()
  })
  await Promise.all(Array.from({ length: 20 }, (_, n) => append([n, 100 + n])))
  expect(statements.length).toBe(3)
  expect(statements.flat().sort((a, b) => a - b)).toEqual(
    [...Array.from({ length: 20 }, (_, n) => n), ...Array.from({ length: 20 }, (_, n) => 100 + n)].sort(
      (a, b) => a - b,
    ),
  )
})

test('what is wrong with one caller’s rows is told to that caller alone', async () => {
  const written: number[] = []
  const append = appendTogether<number>(async (rows) => {
    await pause()
    if (rows.includes(7)) throw new TypeError('seven')
    written.push(...rows)
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => append([n])))
  expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(Array.from({ length: 10 }, (_, n) => n === 7))
  expect(written.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9])
})

test('where the outcome is unknown nobody’s rows are written again', async () => {
  let statements = 0
  const append = appendTogether<number>(async () => {
    statements++
    await pause()
    throw new SallyportError('UNAVAILABLE', 'gone')
  })
  const outcomes = await Promise.allSettled([append([1]), append([2]), append([3]), append([4])])
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  expect(statements).toBe(3)
})

test('a large append has a statement to itself', async () => {
  const sizes: number[] = []
  const append = appendTogether<number>(async (rows) => {
    sizes.push(rows.length)
    await pause()
  })
  const large = Array.from({ length: 2000 }, (_, n) => n)
  await Promise.all([append([1]), append([2]), append(large), append([3]), append(large)])
  expect(sizes).toEqual([1, 1, 2000, 1, 2000])
})
