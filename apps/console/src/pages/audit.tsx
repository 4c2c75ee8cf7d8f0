/**
 * The audit log. What is looked for stands in the address, so that it can be kept and handed on.
 *
 * @module
 */

import type { AuditFilters } from '@sallyport/react'
import { AuditLog, usePermission, useTeam } from '@sallyport/react'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { Page as Frame } from '../parts/page.tsx'

const NAMES = ['from', 'to', 'action', 'userId', 'outcome', 'resource', 'sessionId', 'correlationId', 'q'] as const

export function Page(): ReactNode {
  const [params, setParams] = useSearchParams()
  const filters = useMemo(() => {
    const given = NAMES.map((name) => [name, params.get(name)] as const).filter(([, value]) => value)
    return Object.fromEntries(given) as AuditFilters
  }, [params])
  const canSeeTeam = usePermission('SETTINGS_TEAM_VIEW')
  const { data } = useTeam({ enabled: canSeeTeam })
  const people = useMemo(() => data?.members.map(({ user }) => ({ id: user.id, name: user.name })) ?? [], [data])
  return (
    <Frame
      title="Audit log"
      description="Append-only, sealed into a signed Merkle tree. Open an event to have your browser check its proof."
    >
      <AuditLog
        title="Events"
        description="Newest first"
        {...(canSeeTeam ? { people } : {})}
        filters={filters}
        onFiltersChange={(next) =>
          setParams(Object.entries(next).map(([name, value]) => [name, String(value)] as [string, string]))
        }
      />
    </Frame>
  )
}
