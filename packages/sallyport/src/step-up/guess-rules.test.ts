import { equal } from 'node:assert/strict'
import { describe, test } from 'vitest'
import type { GuessBudget } from '../store/contract/step-up.ts'
import { GUESS_RULES } from './guess-rules.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const at = (ms: number): Date => new Date(Date.UTC(2030, 0, 1) + ms)
const NONE: GuessBudget = { failures: [], consecutive: 0 }
const failing = (...times: readonly number[]): GuessBudget =>
  times.reduce((budget, ms) => GUESS_RULES.failed(budget, at(ms)), NONE)

describe('guess rules', () => {
  test('let five wrong ones through in 15 minutes, and the sixth when the first is that old', () => {
    equal(GUESS_RULES.blockedForMs(failing(0, 1000, 2000, 3000), at(4000)), undefined)
    const five = failing(0, 1000, 2000, 3000, 4000)
    equal(GUESS_RULES.blockedForMs(five, at(5000)), 15 * MINUTE - 5000)
    equal(GUESS_RULES.blockedForMs(five, at(15 * MINUTE - 1)), 1)
    equal(GUESS_RULES.blockedForMs(five, at(15 * MINUTE)), undefined)
  })

  test('let twenty wrong ones through in 24 hours, however they are spread', () => {
    const spread = Array.from({ length: 20 }, (_, index) => index * HOUR)
    equal(GUESS_RULES.blockedForMs(failing(...spread.slice(1)), at(20 * HOUR)), undefined)
    equal(GUESS_RULES.blockedForMs(failing(...spread), at(20 * HOUR)), 4 * HOUR)
    equal(GUESS_RULES.blockedForMs(failing(...spread), at(24 * HOUR)), undefined)
  })

  test('a right one ends the row and gives no new budget', () => {
    const after = GUESS_RULES.passed(failing(0, 1000, 2000, 3000), at(4000))
    equal(after.consecutive, 0)
    equal(GUESS_RULES.blockedForMs(GUESS_RULES.failed(after, at(5000)), at(6000)), 15 * MINUTE - 6000)
  })

  test('a hundred in a row exhaust it, over whatever time', () => {
    let budget = NONE
    for (let guess = 1; guess <= 100; guess++) {
      equal(GUESS_RULES.exhausted(budget), false)
      budget = GUESS_RULES.failed(budget, at(guess * 24 * HOUR))
    }
    equal(GUESS_RULES.exhausted(budget), true)
    // What no window counts is not kept.
    equal(budget.failures.length, 1)
  })
})
