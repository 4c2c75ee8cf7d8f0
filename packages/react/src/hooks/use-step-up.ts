/**
 * The second factor that is asked for now, for a dialog of one's own.
 *
 * @module
 */

import type { StepUpDemand } from '@sallyport/client'
import { useStore } from 'zustand'
import { useContextOf } from '../context.ts'

/** The oldest demand that waits; `undefined` where nothing is asked for. */
export function useStepUp(): StepUpDemand | undefined {
  return useStore(useContextOf('useStepUp').page, ({ demands }) => demands[0])
}
