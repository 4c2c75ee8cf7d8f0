/**
 * The members of the tenant, and what an admin does to them.
 *
 * @module
 */

import type { Operations } from '@sallyport/client'
import { useContextOf } from '../context.ts'
import type { Loaded, LoadOptions } from './query.ts'
import { useKey, useLoaded } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export type TeamList = Operations['listTeam']['output']
export type InviteInput = Operations['inviteMember']['input']
export type MemberChange = Operations['changeMember']['input']

export interface Team extends Loaded<TeamList> {
  readonly invite: Action<InviteInput, Operations['inviteMember']['output']>
  /** Takes an open invitation back. */
  readonly withdraw: Action<string, unknown>
  /** Sends an open invitation again, with a new link. */
  readonly resend: Action<string, unknown>
  /** Role, extra permissions, disabled or not; what is left out stays. */
  readonly change: Action<MemberChange, Operations['changeMember']['output']>
  readonly remove: Action<string, unknown>
  /** Removes the second factors of a member who has lost them. */
  readonly resetFactors: Action<string, Operations['resetFactors']['output']>
  /** Ends every session of a member, by the id of the user. */
  readonly forceLogout: Action<string, Operations['forceLogout']['output']>
}

export function useTeam(options: LoadOptions = {}): Team {
  const { client } = useContextOf('useTeam')
  const key = useKey()
  const refreshes = [key('team'), key('sessions')]
  return {
    ...useLoaded(['team'], ({ api }, signal) => api.listTeam({}, { signal }), options),
    invite: useAction((input) => client.api.inviteMember(input), { refreshes }),
    withdraw: useAction((invitationId: string) => client.api.withdrawInvitation({ invitationId }), { refreshes }),
    resend: useAction((invitationId: string) => client.api.resendInvitation({ invitationId }), { refreshes }),
    change: useAction((input) => client.api.changeMember(input), { refreshes }),
    remove: useAction((staffId: string) => client.api.removeMember({ staffId }), { refreshes }),
    resetFactors: useAction((staffId: string) => client.api.resetFactors({ staffId }), { refreshes }),
    forceLogout: useAction((userId: string) => client.api.forceLogout({ userId }), { refreshes }),
  }
}

export type RoleList = Operations['listRoles']['output']

/** What each role may do, and every permission that can be granted. */
export function useRoles(options: LoadOptions = {}): Loaded<RoleList> {
  return useLoaded(['roles'], ({ api }, signal) => api.listRoles({}, { signal }), options)
}
