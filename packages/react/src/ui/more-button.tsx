/**
 * Loads the next page of a list.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { Button } from './button.tsx'

export interface MoreButtonProps {
  readonly list: { readonly hasMore: boolean; readonly loadingMore: boolean; loadMore(): void }
}

/** Nothing where there is no more. */
export function MoreButton({ list: { hasMore, loadingMore, loadMore } }: MoreButtonProps): ReactNode {
  const { common } = useMessages()
  if (!hasMore) return null
  return (
    <div className="sp-more">
      <Button size="sm" busy={loadingMore} onClick={loadMore}>
        {common.more}
      </Button>
    </div>
  )
}
