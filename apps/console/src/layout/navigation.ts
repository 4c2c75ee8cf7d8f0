/**
 * Where one can go, and who may. What a person cannot use is not shown to them; the service decides all the same.
 *
 * @module
 */

import type { LucideIcon } from 'lucide-react'
import {
  Building2,
  ClipboardCheck,
  Gauge,
  Inbox,
  MonitorSmartphone,
  Network,
  ScrollText,
  ShieldAlert,
  ShieldCheck,
  UserRoundCog,
  UsersRound,
} from 'lucide-react'
import { config } from '../config.ts'

export interface Destination {
  readonly to: string
  readonly label: string
  readonly icon: LucideIcon
  /** Nothing where everybody may. */
  readonly permission?: string
}

export interface DestinationGroup {
  readonly label: string
  readonly destinations: readonly Destination[]
}

const VIEW = 'SETTINGS_SECURITY_VIEW'

const GROUPS: readonly DestinationGroup[] = [
  {
    label: 'Watch',
    destinations: [
      { to: '/overview', label: 'Overview', icon: Gauge, permission: VIEW },
      { to: '/incidents', label: 'Incidents', icon: ShieldAlert, permission: VIEW },
      { to: '/audit', label: 'Audit log', icon: ScrollText, permission: VIEW },
      { to: '/compliance', label: 'Compliance', icon: ClipboardCheck, permission: VIEW },
    ],
  },
  {
    label: 'Control',
    destinations: [
      { to: '/team', label: 'Team', icon: UsersRound, permission: 'SETTINGS_TEAM_VIEW' },
      { to: '/ip-rules', label: 'IP rules', icon: Network, permission: VIEW },
      { to: '/impersonations', label: 'Impersonations', icon: UserRoundCog, permission: VIEW },
      { to: '/settings/tenant', label: 'Tenant settings', icon: Building2, permission: VIEW },
    ],
  },
  {
    label: 'You',
    destinations: [
      { to: '/sessions', label: 'Sessions', icon: MonitorSmartphone },
      { to: '/settings/account', label: 'Security settings', icon: ShieldCheck },
    ],
  },
  {
    label: 'Development',
    destinations: config.outbox === null ? [] : [{ to: '/outbox', label: 'Outbox', icon: Inbox }],
  },
]

/** The groups as somebody with these permissions sees them. */
export function destinationsFor(permissions: readonly string[]): readonly DestinationGroup[] {
  return GROUPS.map((group) => ({
    ...group,
    destinations: group.destinations.filter(
      ({ permission }) => permission === undefined || permissions.includes(permission),
    ),
  })).filter(({ destinations }) => destinations.length > 0)
}
