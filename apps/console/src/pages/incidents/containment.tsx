/**
 * What was ended when it was detected, and who was told.
 *
 * @module
 */

import type { CaseFile } from '@sallyport/react'
import { Avatar, Badge, Card, CardBody } from '@sallyport/react/ui'
import { ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { Clock } from '../../parts/clock.tsx'

const SCOPES: Readonly<Record<string, string>> = {
  family: 'That session, and whatever else its tokens reached',
  staff: 'Everything the member had open in this tenant',
  user: 'Everything the person had open, in every tenant',
}

export function Containment({ file: { contained, told } }: { readonly file: CaseFile }): ReactNode {
  const sessions = contained.sessions.length
  return (
    <Card
      className="sp-scope"
      title="What was contained"
      description={
        <>
          At once, at <Clock value={contained.at} withDay />
        </>
      }
    >
      <CardBody className="sp-stack">
        <div className="flex items-start gap-3">
          <span className="sp-item-icon" data-tone="ok">
            <ShieldCheck size={19} strokeWidth={1.75} aria-hidden="true" />
          </span>
          <div className="text-sm">
            <p className="font-medium">{SCOPES[contained.scope ?? ''] ?? 'It was refused: there was nothing to end'}</p>
            <ul className="mt-1 list-disc pl-4 text-soft">
              <li>{sessions === 1 ? '1 session ended' : `${sessions} sessions ended`}</li>
              {contained.families > 0 && (
                <li>
                  {contained.families === 1 ? '1 line of tokens' : `${contained.families} lines of tokens`} revoked
                </li>
              )}
              {contained.sessionVersion !== null && <li>Access tokens from before are refused everywhere</li>}
            </ul>
          </div>
        </div>
        {told !== null && told.length > 0 && (
          <div>
            <h3 className="sp-label mb-2">Who was told</h3>
            <ul className="flex flex-col gap-2">
              {told.map(({ userId, name, as }) => (
                <li key={`${userId} ${as}`} className="flex items-center gap-2.5 text-sm">
                  <Avatar name={name ?? '?'} size="sm" />
                  <span className="min-w-0 flex-1 truncate">{name ?? 'Somebody who has left'}</span>
                  <Badge>{as === 'person' ? 'The person' : 'Admin'}</Badge>
                </li>
              ))}
            </ul>
          </div>
        )}
      </CardBody>
    </Card>
  )
}
