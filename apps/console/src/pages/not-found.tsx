/**
 * An address without a page.
 *
 * @module
 */

import { buttonClass, Card, Empty } from '@sallyport/react/ui'
import { Signpost } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Page } from '../parts/page.tsx'

export function NotFound(): ReactNode {
  return (
    <Page title="No such page">
      <Card className="sp-scope">
        <Empty
          icon={<Signpost size={22} aria-hidden="true" />}
          title="There is nothing at this address"
          text="It may have been mistyped, or what was here is gone."
          actions={
            <Link to="/" className={buttonClass()}>
              To the first page
            </Link>
          }
        />
      </Card>
    </Page>
  )
}
