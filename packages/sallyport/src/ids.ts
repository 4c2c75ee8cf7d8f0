/**
 * The ids of things, each a type of its own, so that one cannot stand in for another.
 *
 * @module
 */

import { v7 } from 'uuid'
import { randomChunk } from './internal/random.ts'

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

export type TenantId = Id<'tenant'>
export type UserId = Id<'user'>
export type StaffId = Id<'staff'>
export type SessionId = Id<'session'>
export type FamilyId = Id<'family'>
export type TokenId = Id<'token'>
export type FactorId = Id<'factor'>
export type ChallengeId = Id<'challenge'>
export type IpRuleId = Id<'ip_rule'>
export type AuditId = Id<'audit'>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let lastMs = 0
let sequence = 0

/**
 * A fresh UUIDv7 (RFC 9562 section 5.7): ordered by time, so that index inserts stay at the right edge. Those of one process
 * never go backwards, be it that its clock does (method 1 of section 6.2: a counter that each millisecond begins anew).
 */
export function newId<T extends string>(): T {
  const random = randomChunk(16)
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    // The highest bit is left free, so that the counter has room to grow within the millisecond.
    sequence = random.readUInt32BE(6) >>> 1
  } else if (++sequence > 0xffff_ffff) {
    lastMs++
    sequence = 0
  }
  return v7({ random, msecs: lastMs, seq: sequence }) as T
}

/** Whether `value` is a UUID in the lower-case form that this system issues. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && UUID.test(value)
}
