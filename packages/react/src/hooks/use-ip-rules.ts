/**
 * From where the tenant may be reached.
 *
 * @module
 */

import type { IpRule, Operations } from '@sallyport/client'
import { useContextOf, useMessages } from '../context.ts'
import type { Loaded } from './query.ts'
import { useKey, useLoaded } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

export type IpRuleList = Operations['listIpRules']['output']
export type IpRuleInput = Operations['addIpRule']['input']
export type IpRuleChange = Operations['updateIpRule']['input']
export type IpRulePreviewInput = Operations['previewIpRule']['input']
export type IpRulePreview = Operations['previewIpRule']['output']

export interface IpRulesState extends Loaded<IpRuleList> {
  readonly add: Action<IpRuleInput, { readonly rule: IpRule }>
  readonly change: Action<IpRuleChange, { readonly rule: IpRule }>
  readonly remove: Action<Operations['removeIpRule']['input'], unknown>
}

export function useIpRules(): IpRulesState {
  const { client } = useContextOf('useIpRules')
  const { ipRules } = useMessages()
  const refreshes = [useKey()('ip-rules')]
  return {
    ...useLoaded(['ip-rules'], ({ api }, signal) => api.listIpRules({}, { signal })),
    add: useAction((input) => client.api.addIpRule(input), { refreshes, notice: () => ipRules.added }),
    change: useAction((input) => client.api.updateIpRule(input), { refreshes, notice: () => ipRules.changed }),
    remove: useAction((input) => client.api.removeIpRule(input), { refreshes, notice: () => ipRules.removed }),
  }
}

/** Whom a change would cut off, as of now. `undefined` asks nothing. */
export function useIpRulePreview(input: IpRulePreviewInput | undefined): Loaded<IpRulePreview> {
  return useLoaded(['ip-rule-preview', input], ({ api }, signal) => api.previewIpRule(input ?? {}, { signal }), {
    enabled: input !== undefined,
  })
}
