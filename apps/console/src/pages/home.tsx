/**
 * `/`: the first page that somebody may see.
 *
 * @module
 */

import { usePermission } from '@sallyport/react'
import type { ReactNode } from 'react'
import { Navigate } from 'react-router'

export function Home(): ReactNode {
  return <Navigate to={usePermission('SETTINGS_SECURITY_VIEW') ? '/overview' : '/sessions'} replace />
}
