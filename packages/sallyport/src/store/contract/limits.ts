/**
 * What a store lends to the library that keeps rate limits in the database.
 *
 * @module
 */

/** The part of a `pg` client that the library calls. */
export interface LimiterClient {
  /**
   * Runs one statement over the table `rate_limits` (key, points, expire in milliseconds since 1970). Its counting is one
   * statement, so that of concurrent calls each gets a count of its own. `rowCount` is that of the rows answered or removed.
   */
  query(statement: {
    readonly name?: string
    readonly text: string
    readonly values: readonly (string | number | null)[]
  }): Promise<{ readonly rows: readonly object[]; readonly rowCount: number }>
}
