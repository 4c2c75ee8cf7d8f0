/**
 * The audit row of a change of signing keys.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { AuditOf } from '../store/contract/audited.ts'
import type { SigningKeyFacts } from '../store/contract/keys.ts'

/** Who changed the keys: a person with a request, or a job or command with a correlation id. */
export type ChangeOrigin = Pick<
  AuditEvent,
  'userId' | 'actorName' | 'staffId' | 'sessionId' | 'realUserId' | 'request' | 'correlationId'
>

/** One row in the service's own log: signing keys belong to no tenant. */
export function signingKeyAudit(origin: ChangeOrigin): AuditOf<SigningKeyFacts> {
  return ({ change, kid, was, retired, activated, next }, now) => [
    auditRow(
      {
        ...origin,
        tenantId: null,
        action: 'SIGNING_KEY_ROTATED',
        resource: 'signing_key',
        resourceId: kid,
        ...(was !== null && { oldValue: { state: was } }),
        newValue: { retired, activated, next },
        metadata: { change },
      },
      now,
    ),
  ]
}
