/**
 * The library as it is built, and of its inside what the benchmarks drive alone.
 *
 * Taken from `dist`, so that what is measured is what is shipped: run `npm run build` first.
 *
 * @module
 */

export { leafEntry } from '../../packages/sallyport/dist/audit/leaf.js'
export { Frontier } from '../../packages/sallyport/dist/audit/verifying/merkle.js'
export { auditRow } from '../../packages/sallyport/dist/audit/record.js'
export type { Caller } from '../../packages/sallyport/dist/sessions/caller.js'
export type { SessionId, StaffId, TenantId, UserId } from '../../packages/sallyport/dist/ids.js'
export { newId } from '../../packages/sallyport/dist/ids.js'
export type { CompiledRule } from '../../packages/sallyport/dist/ip-rules/matcher.js'
export { compileRules } from '../../packages/sallyport/dist/ip-rules/matcher.js'
export { postgres } from '../../packages/sallyport/dist/postgres.js'
export { issueSuccessor } from '../../packages/sallyport/dist/refresh-tokens/issue.js'
export { refresh, reliedOn } from '../../packages/sallyport/dist/refresh-tokens/refresh.js'
export { parseRefreshToken } from '../../packages/sallyport/dist/refresh-tokens/token-format.js'
export type { Sallyport } from '../../packages/sallyport/dist/sallyport.js'
export { sallyport } from '../../packages/sallyport/dist/sallyport.js'
export { createSession } from '../../packages/sallyport/dist/sessions/create.js'
export type { Store } from '../../packages/sallyport/dist/store/contract/store.js'
export { openFolder } from '../../packages/sallyport/dist/store/pglite/open.js'
export { pgliteDatabase } from '../../packages/sallyport/dist/store/postgres/pglite.js'
export { postgresStore } from '../../packages/sallyport/dist/store/postgres/store.js'
