/**
 * Whom a change of the rules would cut off.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import type { Loaded } from '../hooks/query.ts'
import type { IpRulePreview } from '../hooks/use-ip-rules.ts'
import { Check } from '../ui/field.tsx'
import { Callout, Skeleton } from '../ui/surface.tsx'

const SHOWN = 5

export interface PreviewProps {
  readonly preview: Loaded<IpRulePreview>
  /** Whether there is something to look at. */
  readonly asked: boolean
}

/** Keeps its place from the beginning, so that nothing moves under the hand. What cannot be looked at yet says nothing. */
export function Preview({ preview: { data, loading, error }, asked }: PreviewProps): ReactNode {
  const { ipRules: texts } = useMessages()
  return (
    <div className="sp-preview" aria-live="polite">
      {loading && (
        <>
          <span className="sp-visually-hidden">{texts.previewing}</span>
          <Skeleton height={40} />
        </>
      )}
      {asked && data !== undefined && error === undefined && (
        <Callout tone={data.cutOff.length === 0 ? 'ok' : 'warn'}>
          {data.cutOff.length === 0 ? (
            texts.previewNobody(data.looked)
          ) : (
            <>
              <p>{texts.previewSome(data.cutOff.length, data.looked)}</p>
              <ul className="sp-preview-list">
                {data.cutOff.slice(0, SHOWN).map((one) => (
                  <li key={one.sessionId}>
                    <span>{one.userName}</span> <span className="sp-mono sp-faint">{one.ipAddress}</span>
                  </li>
                ))}
                {data.cutOff.length > SHOWN && (
                  <li className="sp-faint">{texts.previewMore(data.cutOff.length - SHOWN)}</li>
                )}
              </ul>
            </>
          )}
        </Callout>
      )}
    </div>
  )
}

export interface LockOutProps {
  readonly force: boolean
  readonly onForce: (force: boolean) => void
}

/** The service refuses to lock out whoever asks for it, unless they say so. */
export function LockOut({ force, onForce }: LockOutProps): ReactNode {
  const { ipRules: texts } = useMessages()
  return (
    <>
      <Callout tone="danger" title={texts.lockOutTitle} role="alert">
        {texts.lockOutText}
      </Callout>
      <Check label={texts.force} checked={force} onChange={(event) => onForce(event.target.checked)} />
    </>
  )
}
