/**
 * What stands on the line of a branch: a token that it was given, something that it did.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { useMessages, wordFor } from '@sallyport/react'
import { Badge } from '@sallyport/react/ui'
import { CircleCheck, CircleX, KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Clock } from '../../parts/clock.tsx'
import type { CaseBranch } from './branches.tsx'

type CaseToken = CaseBranch['tokens'][number]
type CaseAction = CaseFile['undecided'][number]

/** How sure it is that it was this branch. */
const ATTRIBUTED: Readonly<Record<NonNullable<CaseAction['attributedBy']>, string | undefined>> = {
  // Made with a token that no other was given: nothing to add.
  generation: undefined,
  address_and_agent: 'Likely, by address and browser',
  address: 'Likely, by address',
  agent: 'Likely, by browser',
}

export function TimelineEvent({ action }: { readonly action: CaseAction }): ReactNode {
  const { audit, refusals } = useMessages()
  const likely = action.attributedBy === null ? undefined : ATTRIBUTED[action.attributedBy]
  const succeeded = action.outcome === 'SUCCESS'
  const Icon = succeeded ? CircleCheck : CircleX
  return (
    <li className="flex items-start gap-2.5">
      <Icon
        size={16}
        role="img"
        aria-label={succeeded ? audit.success : audit.fail}
        className={`mt-[3px] shrink-0 ${succeeded ? 'text-accent' : 'text-danger'}`}
      />
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <Link
            to={`/audit?correlationId=${encodeURIComponent(action.correlationId)}`}
            className="font-medium text-ink no-underline hover:underline"
          >
            {wordFor(audit.actions, action.action)}
          </Link>
          {action.failureReason !== null && action.failureReason !== action.action && (
            <Badge tone="danger">{wordFor(refusals, action.failureReason)}</Badge>
          )}
        </p>
        {likely !== undefined && <p className="text-xs text-faint">{likely}</p>}
      </div>
      <span className="shrink-0 text-xs text-faint">
        <Clock value={action.at} />
      </span>
    </li>
  )
}

export function TimelineToken({ token }: { readonly token: CaseToken }): ReactNode {
  const { handedOutAgain } = token
  return (
    <li className="flex items-start gap-2.5">
      <KeyRound size={15} aria-hidden="true" className="mt-[3px] shrink-0 text-faint" />
      <div className="min-w-0 flex-1 text-sm text-soft">
        Got token {token.generation}
        {token.usedAt !== null && ', and exchanged it'}
        {handedOutAgain.length > 0 && (
          <p className="text-xs text-faint">
            Handed out {handedOutAgain.length === 1 ? 'once' : `${handedOutAgain.length} times`} more, to a retry
          </p>
        )}
      </div>
      <span className="shrink-0 text-xs text-faint">
        <Clock value={token.issuedAt} />
      </span>
    </li>
  )
}
