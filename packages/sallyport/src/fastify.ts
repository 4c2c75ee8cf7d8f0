/**
 * The adapter for Fastify.
 *
 * @module
 */

export type { AuditedOptions, AuditingGuard, AuditMeta } from './adapters/audited.ts'
export type { FastifyReply, FastifyRequest } from './adapters/fastify.ts'
export { fastifyAudit } from './adapters/fastify.ts'
