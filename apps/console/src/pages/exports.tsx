/**
 * Exports and evidence bundles.
 *
 * @module
 */

import { ComplianceExports } from '@sallyport/react'
import type { ReactNode } from 'react'
import { ComplianceFrame } from '../parts/compliance-frame.tsx'

export function Page(): ReactNode {
  return (
    <ComplianceFrame>
      <ComplianceExports title="Datasets" />
    </ComplianceFrame>
  )
}
