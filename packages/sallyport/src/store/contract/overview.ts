/**
 * The port of the overview: what happened in a tenant, counted, at a cost that does not grow with its audit log.
 *
 * @module
 */

import type { TenantId } from '../../ids.ts'
import type { LiveLimits } from './sessions.ts'

/** A half-open period that begins and ends on a full hour (UTC), in equal steps of whole hours. */
export interface Steps {
  readonly tenantId: TenantId
  readonly from: Date
  readonly to: Date
  readonly stepMs: number
}

/** Audit rows that are counted together. */
export interface EventCount {
  /** From 0. */
  readonly step: number
  readonly action: string
  readonly outcome: 'SUCCESS' | 'FAIL'
  /** The failure's; empty where there is none. */
  readonly reason: string
  /** A factor, a purpose, a replay's cause: what tells rows of this action apart. Empty where nothing does. */
  readonly detail: string
  readonly count: number
}

/** Scored requests in which a signal fired, by what was done with them. */
export interface SignalCount {
  readonly signal: string
  readonly decision: 'pass' | 'step_up' | 'block'
  readonly count: number
}

export interface PlaceCount {
  readonly country: string | null
  readonly city: string | null
  readonly sessions: number
  readonly users: number
  readonly lastSeenAt: Date
}

/** Sign-in sessions that were open at some time of the period. */
export interface SessionFigures {
  /** How many were open when the period began. */
  readonly openBefore: number
  /** By step from 0; steps in which nothing began or ended are left out. What will end later than now has not ended. */
  readonly steps: readonly { readonly step: number; readonly began: number; readonly ended: number }[]
  /** Most sessions first. */
  readonly places: readonly PlaceCount[]
  readonly agents: readonly { readonly userAgent: string | null; readonly sessions: number }[]
}

export interface LiveFigures {
  readonly sessions: number
  readonly users: number
  readonly impersonations: number
}

/**
 * Counts of one tenant. Each call MUST take the same time however many audit rows the tenant has, and MUST count rows that wait to be
 * sealed as it does those that are: a row that is sealed meanwhile is counted once. A row that stands for many (`summarised` in its
 * metadata) counts as many. What retention removes from the audit log stays counted.
 */
export interface OverviewStore {
  events(of: Steps): Promise<readonly EventCount[]>
  signals(of: Omit<Steps, 'stepMs'>): Promise<readonly SignalCount[]>
  /**
   * A session is over when it was ended, at its end, or at one of the limits, whichever came first, but not before it was last seen:
   * a limit that was tightened since does not undo what was open before. `lookBackMs` is the longest that one can have lived.
   */
  sessions(of: Steps & LiveLimits & { readonly lookBackMs: number }): Promise<SessionFigures>
  /** At this moment. Counting stops at a hundred thousand. */
  live(of: { readonly tenantId: TenantId } & LiveLimits): Promise<LiveFigures>
}
