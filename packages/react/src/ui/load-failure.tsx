/**
 * In place of what could not be loaded: why, and another try.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useErrorText } from '../hooks/errors.ts'
import type { Loaded } from '../hooks/query.ts'
import { Failure } from './surface.tsx'

export interface LoadFailureProps {
  /** What failed; nothing is shown while it has not. */
  readonly of: Pick<Loaded<unknown>, 'error' | 'reload' | 'refreshing'>
}

export function LoadFailure({ of: { error, reload, refreshing } }: LoadFailureProps): ReactNode {
  const text = useErrorText()
  return error === undefined ? null : <Failure text={text(error)} onRetry={reload} busy={refreshing} />
}
