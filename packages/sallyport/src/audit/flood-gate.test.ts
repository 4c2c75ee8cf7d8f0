import { describe, expect, test } from 'vitest'
import { FloodGate, networkOf } from './flood-gate.ts'

const MINUTE = 60_000

function admitted(gate: FloodGate<number>, kind: string, count: number, now: number, log = 'log'): number {
  let passed = 0
  for (let event = 0; event < count; event++) if (gate.admits(kind, log, event, now)) passed++
  return passed
}

describe('the flood gate', () => {
  test('lets the first twenty of a minute through, and one summary of the rest', () => {
    const gate = new FloodGate<number>()
    expect(admitted(gate, 'k', 100, 0)).toBe(20)
    expect(gate.takeSurplus(MINUTE - 1)).toEqual([])
    expect(gate.takeSurplus(MINUTE)).toEqual([{ event: 99, count: 80 }])
    expect(gate.takeSurplus(MINUTE)).toEqual([])
    expect(admitted(gate, 'k', 100, MINUTE)).toBe(20)
  })

  test('exactly twenty leave no summary', () => {
    const gate = new FloodGate<number>()
    expect(admitted(gate, 'k', 20, 0)).toBe(20)
    expect(gate.takeSurplus(Number.POSITIVE_INFINITY)).toEqual([])
  })

  test('a new minute begins by itself where nothing is left to summarise', () => {
    const gate = new FloodGate<number>()
    expect(admitted(gate, 'k', 20, 0)).toBe(20)
    expect(admitted(gate, 'k', 1, MINUTE - 1)).toBe(0)
    const other = new FloodGate<number>()
    admitted(other, 'k', 20, 0)
    expect(admitted(other, 'k', 20, MINUTE)).toBe(20)
  })

  test('a count that was not summarised yet is not lost to the next minute', () => {
    const gate = new FloodGate<number>()
    admitted(gate, 'k', 25, 0)
    admitted(gate, 'k', 5, MINUTE + 1)
    expect(gate.takeSurplus(MINUTE + 1)).toMatchObject([{ count: 10 }])
  })

  test('whose log a failure goes to decides nothing, and each log gets its own summary', () => {
    const gate = new FloodGate<number>()
    expect(admitted(gate, 'k', 15, 0, 'one') + admitted(gate, 'k', 15, 0, 'two')).toBe(20)
    expect(admitted(gate, 'k', 5, 0, '')).toBe(0)
    expect(gate.takeSurplus(MINUTE)).toEqual([
      { event: 14, count: 10 },
      { event: 4, count: 5 },
    ])
  })

  test('a flood of logs is summarised together', () => {
    const gate = new FloodGate<number>()
    for (let log = 0; log < 20_020; log++) admitted(gate, 'k', 1, 0, `log ${log}`)
    const summaries = gate.takeSurplus(MINUTE)
    expect(summaries).toHaveLength(10_001)
    expect(summaries.reduce((sum, { count }) => sum + count, 0)).toBe(20_000)
    admitted(gate, 'k', 20, MINUTE)
    for (let log = 0; log < 10; log++) admitted(gate, 'k', 1, MINUTE, `log ${log}`)
    expect(gate.takeSurplus(2 * MINUTE)).toHaveLength(10)
  })

  test('kinds are counted apart, and a flood of kinds together', () => {
    const gate = new FloodGate<number>()
    expect(admitted(gate, 'a', 30, 0) + admitted(gate, 'b', 30, 0)).toBe(40)
    let passed = 0
    for (let kind = 0; kind < 20_000; kind++) passed += admitted(gate, `flood ${kind}`, 1, 0)
    expect(passed).toBe(9_998 + 20)
    expect(gate.takeSurplus(MINUTE).reduce((sum, { count }) => sum + count, 0)).toBe(20 + 20_000 - 9_998 - 20)
  })
})

describe('the network of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['fe80::1:2:3', 'fe80:0:0:0'],
    [undefined, 'unknown'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
