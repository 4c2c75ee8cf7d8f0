/**
 * Who is signed in.
 *
 * @module
 */

import type { AuthState, SignedInState } from '@sallyport/client'
import { useStore } from 'zustand'
import { useContextOf } from '../context.ts'

/** Who is signed in: `unknown` until the page has looked, then `signed-in` or `signed-out`. */
export function useSession(): AuthState {
  return useStore(useContextOf('useSession').page, ({ auth }) => auth)
}

/**
 * Who is signed in, in a part of the app that only those see.
 *
 * @throws TypeError where nobody is.
 */
export function useSignedIn(): SignedInState {
  const auth = useSession()
  if (auth.status !== 'signed-in') throw new TypeError('useSignedIn: nobody is signed in')
  return auth
}

/** Whether the person may do something. The service decides; this decides what is worth showing. */
export function usePermission(permission: string): boolean {
  const auth = useSession()
  return auth.status === 'signed-in' && auth.staff.permissions.includes(permission)
}
