/**
 * One's own sessions.
 *
 * @module
 */

import { ActiveSessions } from '@sallyport/react'
import type { ReactNode } from 'react'
import { Page as Frame } from '../parts/page.tsx'

export function Page(): ReactNode {
  return (
    <Frame title="Sessions" description="Every browser and program that is signed in as you, in this tenant.">
      <ActiveSessions withEnded />
    </Frame>
  )
}
