/**
 * Whether a change of the rules would keep out whoever makes it, and whether they want it all the same.
 *
 * @module
 */

import { useState } from 'react'
import type { Loaded } from '../hooks/query.ts'
import type { Action } from '../hooks/use-action.ts'
import type { IpRulePreview, IpRulePreviewInput } from '../hooks/use-ip-rules.ts'
import { useIpRulePreview } from '../hooks/use-ip-rules.ts'

export interface LockOutState {
  readonly preview: Loaded<IpRulePreview>
  /** As the preview foresees it, or as the service refused it: it decides, and the preview can be out of date or missing. */
  readonly locksOut: boolean
  readonly force: boolean
  setForce(force: boolean): void
}

/** @param input What is about to be changed. `undefined` asks nothing. */
export function useLockOut(
  input: IpRulePreviewInput | undefined,
  { error }: Pick<Action<never, unknown>, 'error'>,
): LockOutState {
  const preview = useIpRulePreview(input)
  const [force, setForce] = useState(false)
  // What was said yes to stays in sight while it is sent.
  const locksOut = preview.data?.wouldLockOut === true || error?.code === 'WOULD_LOCK_OUT' || force
  return { preview, locksOut, force, setForce }
}
