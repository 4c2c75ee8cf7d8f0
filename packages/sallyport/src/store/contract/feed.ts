/**
 * The port of the change feed, which keeps every node's live view true.
 *
 * @module
 */

/** What changed: `ref` is the id of the session, staff member or user, of the signing key, or of the tenant for the rest. */
export interface Change {
  readonly id: number
  readonly kind: 'session' | 'staff' | 'user' | 'tenant' | 'key' | 'ip_rules' | 'settings'
  readonly ref: string
}

export interface FeedPage {
  readonly changes: readonly Change[]
  /** The database's clock when the page was read. */
  readonly now: Date
}

/** The longest that a change may take from getting its id to being visible: statement and idle limits keep transactions shorter. */
export const FEED_OVERLAP_MS = 15_000

/**
 * The feed. Ids are handed out before commit and so become visible out of order: a reader MUST be given again all
 * changes younger than {@link FEED_OVERLAP_MS} that it does not name in `seen`, whatever its cursor.
 */
export interface FeedStore {
  /** Changes not in `seen` that are younger than the overlap, or younger than `sinceMs` where that is longer. */
  poll(input: { readonly seen: readonly number[]; readonly sinceMs: number }): Promise<FeedPage>
  /** Removes rows older than `ageMs`. */
  trim(ageMs: number): Promise<number>
}
