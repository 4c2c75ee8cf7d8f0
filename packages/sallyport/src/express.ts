/**
 * The adapter for Express.
 *
 * @module
 */

export type { AuditedOptions, AuditingGuard, AuditMeta } from './adapters/audited.ts'
export type { ExpressRequest, ExpressResponse } from './adapters/express.ts'
export { expressAudit } from './adapters/express.ts'
