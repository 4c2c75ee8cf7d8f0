/**
 * The adapter for Hono.
 *
 * @module
 */

export type { AuditedOptions, AuditingGuard, AuditMeta } from './adapters/audited.ts'
export type { HonoAuditOptions, HonoContext } from './adapters/hono.ts'
export { honoAudit } from './adapters/hono.ts'
