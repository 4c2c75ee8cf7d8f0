/**
 * What the reasons of incidents mean.
 *
 * @module
 */

import type { LucideIcon } from 'lucide-react'
import { OctagonX, ShieldAlert, Zap } from 'lucide-react'

export interface IncidentKind {
  readonly icon: LucideIcon
  readonly title: string
  readonly text: string
}

const KINDS: Readonly<Record<string, IncidentKind>> = {
  reuse_detected: {
    icon: ShieldAlert,
    title: 'Stolen token used',
    text: 'A refresh token came back that had been exchanged before: two hold a copy of one session.',
  },
  high_risk_activity: {
    icon: OctagonX,
    title: 'Blocked for its risk',
    text: 'What came together was so unusual that it was stopped without asking.',
  },
  rapid_token_creation: {
    icon: Zap,
    title: 'Too many sessions at once',
    text: 'Sessions were opened faster than a person opens them.',
  },
}

const OTHER: IncidentKind = { icon: ShieldAlert, title: 'Stopped', text: 'Something was detected and stopped.' }

export function incidentKind(reason: string): IncidentKind {
  return Object.hasOwn(KINDS, reason) ? (KINDS[reason] ?? OTHER) : OTHER
}
