/**
 * The frame of the two pages of compliance.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { Page } from './page.tsx'
import { Tabs } from './tabs.tsx'

export function ComplianceFrame({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <Page
      title="Compliance"
      description="What SOC 2 asks of sessions and access, evaluated now against the running system, and the evidence to hand out."
    >
      <Tabs
        label="Compliance"
        tabs={[
          { to: '/compliance', label: 'Checklist' },
          { to: '/compliance/exports', label: 'Exports and bundles' },
        ]}
      />
      {children}
    </Page>
  )
}
