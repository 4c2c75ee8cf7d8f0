import { expect, test } from 'vitest'
import { axisLabel, labelledPoints, scaleOf, stepLabel } from './series.ts'

test.each([
  [0, 4],
  [1, 4],
  [4, 4],
  [5, 6],
  [7, 10],
  [11, 15],
  [99, 100],
  [100, 100],
  [101, 150],
  [12_345, 15_000],
])('a largest value of %d has its top at %d', (largest, top) => {
  const scale = scaleOf(largest)
  expect(scale.top).toBe(top)
  expect(scale.ticks[0]).toBe(0)
  expect(scale.ticks.at(-1)).toBe(top)
  expect(scale.ticks.length).toBeLessThanOrEqual(6)
  for (const tick of scale.ticks) expect(Number.isInteger(tick)).toBe(true)
})

test('the axis tells hours within two days, else days', () => {
  expect(axisLabel('2026-06-15T09:00:00', 86_400, 'en')).toMatch(/9:00/)
  expect(axisLabel('2026-06-15T09:00:00', 7 * 86_400, 'en')).toBe('Jun 15')
  expect(stepLabel('2026-06-15T00:00:00', 86_400, 'en')).toBe('Mon, Jun 15')
})

const points = (count: number, stepHours: number): string[] =>
  Array.from({ length: count }, (_, at) => new Date(2026, 5, 1, 9 + at * stepHours).toISOString())

test('labels stand where days begin, evenly apart, and no more of them than there is room for', () => {
  // Seven days in steps of six hours, from nine in the morning: the days begin at 3, 7, 11, …
  expect(labelledPoints(points(28, 6), 6 * 3600, 7)).toEqual([3, 7, 11, 15, 19, 23, 27])
  expect(labelledPoints(points(28, 6), 6 * 3600, 4)).toEqual([3, 11, 19, 27])
  // Within two days each hour can have one.
  expect(labelledPoints(points(24, 1), 3600, 6)).toEqual([0, 4, 8, 12, 16, 20])
  expect(labelledPoints([], 3600, 6)).toEqual([])
})
