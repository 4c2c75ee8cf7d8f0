/**
 * The tenant's own limits and switches.
 *
 * @module
 */

import type { Operations, SecuritySettings } from '@sallyport/client'
import { useContextOf } from '../context.ts'
import type { Loaded } from './query.ts'
import { useKey, useLoaded } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export type SettingsChange = Operations['changeSettings']['input']

export interface SettingsState extends Loaded<SecuritySettings> {
  readonly change: Action<SettingsChange, SecuritySettings>
}

export function useSettings(): SettingsState {
  const { client } = useContextOf('useSettings')
  const key = useKey()
  return {
    ...useLoaded(['settings'], ({ api }, signal) => api.showSettings({}, { signal })),
    change: useAction((input) => client.api.changeSettings(input), { refreshes: [key('settings'), key('ip-rules')] }),
  }
}
