/**
 * The end of a turn of the event loop, for work that is better begun together.
 *
 * @module
 */

let ending: Promise<void> | undefined

/**
 * Resolves when all that came in this turn of the event loop has been looked at. Whoever waits for the same end goes on one right
 * after the other.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined
      resolve()
    })
  })
  return ending
}
