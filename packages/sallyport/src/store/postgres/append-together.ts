/**
 * Writes what several callers append at one moment in one statement: a commit waits for the disk, and they can wait together.
 *
 * @module
 */

import { SallyportError } from '../../errors.ts'

/** Statements under way at a time. Who comes while both are goes with the next. */
const AT_ONCE = 2
/** Rows of one statement at most. */
const MOST_ROWS = 500

interface Waiting<Row> {
  readonly rows: readonly Row[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The rows of one call are written all or none, and are durable when it resolves. What is wrong with the rows of one caller is
 * told to that caller alone.
 *
 * @param write Writes rows in one transaction.
 */
export function appendTogether<Row>(
  write: (rows: readonly Row[]) => Promise<void>,
): (rows: readonly Row[]) => Promise<void> {
  let waiting: Waiting<Row>[] = []
  let underWay = 0

  function next(): void {
    while (waiting.length > 0 && underWay < AT_ONCE) {
      let rows = 0
      const most = waiting.findIndex((one, at) => (rows += one.rows.length) > MOST_ROWS && at > 0)
      const taken = most < 0 ? waiting : waiting.slice(0, most)
      waiting = waiting.slice(taken.length)
      underWay++
      void together(taken).finally(() => {
        underWay--
        next()
      })
    }
  }

  async function together(taken: readonly Waiting<Row>[]): Promise<void> {
    try {
      await write(taken.flatMap(({ rows }) => rows))
      for (const { resolve } of taken) resolve()
    } catch (error) {
      // Refused: nothing was written. With the outcome unknown another try could write twice.
      const refused = !(error instanceof SallyportError) || error.code !== 'UNAVAILABLE'
      if (taken.length > 1 && refused) for (const one of taken) await together([one])
      else for (const { reject } of taken) reject(error)
    }
  }

  return (rows) =>
    new Promise((resolve, reject) => {
      waiting.push({ rows, resolve, reject })
      next()
    })
}
