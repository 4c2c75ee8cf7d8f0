/**
 * Connections that break at a chosen statement, for the tests that ask what is left then.
 *
 * @module
 */

import type { PGlite, Results, Transaction } from '@electric-sql/pglite'
import type pg from 'pg'

/** Breaks once, at one statement. */
export class Break {
  readonly #at: number
  readonly #when: 'before' | 'after'
  #count = 0
  #broke = false

  constructor(at: number, when: 'before' | 'after') {
    this.#at = at
    this.#when = when
  }

  readonly broke = (): boolean => this.#broke

  async pass<T>(statement: () => Promise<T>): Promise<T> {
    const here = this.enter()
    const result = await statement()
    this.leave(here)
    return result
  }

  /** Before a statement. @returns Whether it is the one. */
  enter(): boolean {
    const here = this.#count++ === this.#at
    if (here) this.#broke = true
    if (here && this.#when === 'before') throw reset()
    return here
  }

  /** After it took effect. */
  leave(here: boolean): void {
    if (here) throw reset()
  }
}

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
}

type Client = Pick<PGlite, 'query' | 'exec' | 'transaction'>

/** PGlite whose calls pass the break; its COMMIT is a statement too. */
export function breakingPglite(pglite: PGlite, fault: Break): PGlite {
  const runner = <R extends Pick<PGlite | Transaction, 'query' | 'exec'>>(inner: R) => ({
    query: <T>(...args: Parameters<R['query']>) =>
      fault.pass(() => inner.query(args[0], args[1], args[2]) as Promise<Results<T>>),
    exec: (...args: Parameters<R['exec']>) => fault.pass(() => inner.exec(args[0], args[1])),
  })
  const client: Client = {
    ...runner(pglite),
    transaction: async <T>(work: (tx: Transaction) => Promise<T>) => {
      let here = false
      const result = await pglite.transaction(async (inner) => {
        const value = await work(runner(inner) as unknown as Transaction)
        here = fault.enter()
        return value
      })
      fault.leave(here)
      return result
    },
  }
  return client as PGlite
}

/** A pool of node-postgres whose clients' statements pass the break. */
export function breakingPool(pool: pg.Pool, fault: Break): pg.Pool {
  const query = (target: pg.Pool | pg.PoolClient) =>
    (async (...args: readonly unknown[]) =>
      fault.pass(() => (target.query as (...all: readonly unknown[]) => Promise<unknown>)(...args))) as never
  return through(pool, {
    query: query(pool),
    connect: (async () => {
      const client = await pool.connect()
      return through(client, { query: query(client) })
    }) as never,
  })
}

function through<T extends object>(target: T, instead: Partial<T>): T {
  return new Proxy(target, {
    get(_target, name) {
      const value: unknown = name in instead ? instead[name as keyof T] : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
