/**
 * The audit row of a seal, for the FROM of a statement that reads a run of seals.
 *
 * @module
 */

/**
 * Each row is looked up by itself. For a join the planner may read the whole of `audit_logs` for every run of rows, and so the
 * table as often as it has runs; a limit is what it does not turn into a join.
 */
export const ROW_OF_SEAL = '(select * from audit_logs a where a.id = s.id limit 1) l'
