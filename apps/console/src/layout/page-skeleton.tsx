/**
 * The outline of a page, while it is not known yet who looks or the page itself is on its way.
 *
 * @module
 */

import { Card, Skeleton, SkeletonItems } from '@sallyport/react/ui'
import type { ReactNode } from 'react'

export function PageSkeleton(): ReactNode {
  return (
    <div aria-hidden="true" className="mx-auto flex w-full max-w-[1160px] flex-col gap-5 px-4 py-6 sm:px-7 sm:py-8">
      <div>
        <Skeleton width={180} height={27} />
        <div className="mt-1.5">
          <Skeleton width="min(340px, 80%)" height={16} />
        </div>
      </div>
      <Card className="sp-scope">
        <SkeletonItems count={5} />
      </Card>
    </div>
  )
}
