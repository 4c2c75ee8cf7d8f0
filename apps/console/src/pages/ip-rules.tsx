/**
 * From where the tenant can be reached. Another page can propose a rule, in the address.
 *
 * @module
 */

import { IpRules } from '@sallyport/react'
import type { ReactNode } from 'react'
import { useSearchParams } from 'react-router'
import { Page as Frame } from '../parts/page.tsx'

export function Page(): ReactNode {
  const [params, setParams] = useSearchParams()
  const [cidr, label] = [params.get('deny'), params.get('label')]
  return (
    <Frame
      title="IP rules"
      description="They hold for everybody in the tenant, at sign-in, at each refresh and at each request. “Deny” goes before “allow”."
    >
      <IpRules
        title="Rules"
        description="A change holds from the next request on. Nobody is signed out by it."
        proposal={cidr === null ? undefined : { type: 'DENY', cidr, ...(label === null ? {} : { label }) }}
        onProposalClosed={() => setParams({}, { replace: true })}
      />
    </Frame>
  )
}
