/**
 * A page for those who may see it. Nobody else's page asks for anything: it would be refused.
 *
 * @module
 */

import { useSession } from '@sallyport/react'
import { Card, Empty } from '@sallyport/react/ui'
import { Lock } from 'lucide-react'
import type { ReactNode } from 'react'
import { Page } from '../parts/page.tsx'

export interface PermittedProps {
  /** Nothing where everybody may. */
  readonly permission: string | undefined
  readonly children: ReactNode
}

export function Permitted({ permission, children }: PermittedProps): ReactNode {
  const auth = useSession()
  const may = auth.status !== 'signed-in' || permission === undefined || auth.staff.permissions.includes(permission)
  if (may) return children
  return (
    <Page title="Not for you">
      <Card className="sp-scope">
        <Empty
          icon={<Lock size={22} aria-hidden="true" />}
          title="You may not see this page"
          text="It needs a permission that you do not hold. An owner or an admin of the tenant can grant it."
        />
      </Card>
    </Page>
  )
}
