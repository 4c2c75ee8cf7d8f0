/**
 * Whether an event is in the sealed log, checked in the browser.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import { useContextOf } from '../context.ts'
import type { InclusionProof, ProofVerdict } from '../proof/check-event.ts'
import { checkEvent } from '../proof/check-event.ts'
import type { KnownKey } from '../proof/known-keys.ts'
import { knownKey, trustKey } from '../proof/known-keys.ts'
import type { Loaded } from './query.ts'
import { useKey, useLoaded } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'

/** What came of it, and by which key. */
export type CheckedProof =
  | (ProofVerdict & { readonly key: KnownKey })
  /** The service names another key than this browser knows. */
  | { readonly kind: 'key-changed'; readonly key: KnownKey; readonly origin: string; readonly offered: string }

export interface Proof extends Loaded<CheckedProof> {
  /** Takes the key that the service names now, and checks again. */
  readonly trust: Action<{ readonly origin: string; readonly vkey: string }, void>
}

/** Asks for the proof of an event and checks it. `enabled`: once somebody looks. */
export function useProof(event: AuditEvent, { enabled = true }: { readonly enabled?: boolean } = {}): Proof {
  const { queries } = useContextOf('useProof')
  const key = useKey()
  const parts = ['audit-proof', event.id]
  const checked = useLoaded<CheckedProof>(
    parts,
    async ({ api }, signal) => {
      const [{ origin, vkey }, proof] = await Promise.all([
        api.getAuditKey({}, { signal }),
        api.proveAuditEvent({ id: event.id }, { signal }),
      ])
      const known = knownKey(origin, vkey, new Date())
      if (known.vkey !== vkey) return { kind: 'key-changed', key: known, origin, offered: vkey }
      return { ...(await checkEvent(event, proof as InclusionProof, known.vkey)), key: known }
    },
    { enabled },
  )
  const trust = useAction(async ({ origin, vkey }: { readonly origin: string; readonly vkey: string }) => {
    trustKey(origin, vkey, new Date())
    await queries.invalidateQueries({ queryKey: key('audit-proof') })
  })
  return { ...checked, trust }
}
