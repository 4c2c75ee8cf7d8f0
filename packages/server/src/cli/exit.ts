/**
 * The exit codes, apart from the rest so that help loads nothing else.
 *
 * @module
 */

/** What a command ends with: 0 done, 1 failed, 2 not asked rightly (arguments, configuration), 3 the database is away. */
export const EXIT = { failed: 1, misconfigured: 2, unavailable: 3 } as const
