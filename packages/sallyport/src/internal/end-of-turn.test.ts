import { expect, test } from 'vitest'
import { endOfTurn } from './end-of-turn.ts'

test('those of one turn go on together, after all that came in it, and those of the next later', async () => {
  const seen: string[] = []
  const wait = async (name: string) => {
    await endOfTurn()
    seen.push(name)
  }
  const waits = [wait('first')]
  await Promise.resolve()
  seen.push('came meanwhile')
  waits.push(wait('second'))
  // Begun within the turn that ends, they are of the next.
  waits.push(endOfTurn().then(() => wait('later')))
  setImmediate(() => seen.push('the turn is over'))
  await Promise.all(waits)
  expect(seen).toEqual(['came meanwhile', 'first', 'second', 'the turn is over', 'later'])
})
