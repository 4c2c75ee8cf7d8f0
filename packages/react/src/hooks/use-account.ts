/**
 * One's own password and email address.
 *
 * @module
 */

import type { Operations } from '@sallyport/client'
import { useContextOf } from '../context.ts'
import { useKey } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export interface Account {
  /** Ends all other sessions. */
  readonly changePassword: Action<Operations['changePassword']['input'], unknown>
  /** A link goes to the new address; nothing changes before it is followed. */
  readonly changeEmail: Action<Operations['changeEmail']['input'], unknown>
}

export function useAccount(): Account {
  const { client } = useContextOf('useAccount')
  const refreshes = [useKey()('sessions')]
  return {
    changePassword: useAction((input) => client.api.changePassword(input), { refreshes }),
    changeEmail: useAction((input) => client.api.changeEmail(input)),
  }
}
