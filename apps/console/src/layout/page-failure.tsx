/**
 * In place of a page that broke, or whose part could not be fetched.
 *
 * @module
 */

import { Failure } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useRouteError } from 'react-router'

export function PageFailure(): ReactNode {
  const error = useRouteError()
  // A part that is not there any more: the console was built anew since this page was loaded.
  const isStale = error instanceof TypeError && /import|module/i.test(error.message)
  return (
    <div className="sp-scope mx-auto max-w-[560px] px-4 py-16">
      <Failure
        title={isStale ? 'The console was updated' : 'This page broke'}
        text={
          isStale
            ? 'Load it again to go on.'
            : 'It is not your doing, and nothing was changed by it. Loading the page again usually helps.'
        }
        onRetry={() => window.location.reload()}
      />
    </div>
  )
}
