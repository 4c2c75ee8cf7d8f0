/**
 * Mails that wait in development, while no mail server is configured.
 *
 * @module
 */

import { useLoaded } from '@sallyport/react'
import { Button, Card, CopyButton, Empty, LoadFailure, SkeletonItems, Time } from '@sallyport/react/ui'
import { ExternalLink, Inbox, Mail, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { config } from '../config.ts'
import { Page as Frame } from '../parts/page.tsx'

interface Message {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly kind: string
  readonly code?: string
  readonly sentAt: string
}

export function Page(): ReactNode {
  const { outbox } = config
  const loaded = useLoaded<readonly Message[]>(
    ['outbox'],
    async (client, signal) => {
      const response = await client.fetch(outbox ?? '', { signal })
      const { messages } = (await response.json()) as { readonly messages: readonly Message[] }
      return messages.toReversed()
    },
    { enabled: outbox !== null, every: 5000 },
  )
  const { data, loading, refreshing, reload } = loaded
  return (
    <Frame
      title="Development outbox"
      description="No mail server is configured: what would have been sent waits here, for this machine alone."
      actions={
        <Button
          size="sm"
          busy={refreshing}
          icon={<RotateCw size={14} aria-hidden="true" />}
          disabled={outbox === null}
          onClick={reload}
        >
          Refresh
        </Button>
      }
    >
      <Card className="sp-scope">
        {loading && <SkeletonItems count={4} />}
        {data === undefined && <LoadFailure of={loaded} />}
        {(outbox === null || data?.length === 0) && (
          <Empty
            icon={<Inbox size={22} aria-hidden="true" />}
            title="No mails"
            text="Invite somebody, or ask for a code: the mail appears here."
          />
        )}
        {data !== undefined && data.length > 0 && (
          <ul className="sp-list sp-list-flush">
            {data.map((message) => (
              <li key={`${message.sentAt} ${message.to} ${message.subject}`}>
                <MessageItem message={message} />
              </li>
            ))}
          </ul>
        )}
      </Card>
    </Frame>
  )
}

function MessageItem({ message: { to, subject, text, code, sentAt } }: { readonly message: Message }): ReactNode {
  const link = /https?:\/\/\S+/.exec(text)?.[0]
  return (
    <div className="sp-item items-start!">
      <span className="sp-item-icon">
        <Mail size={18} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="sp-item-text">
        <p className="sp-item-title">{subject}</p>
        <div className="sp-facts">
          <span className="break-all">{to}</span>
          <Time value={sentAt} />
        </div>
        <p className="mt-1.5 max-w-[72ch] text-sm break-words whitespace-pre-line text-soft">{text.trim()}</p>
      </div>
      <div className="sp-item-actions">
        {code !== undefined && <CopyButton text={code} label={`Copy the code ${code}`} />}
        {link !== undefined && (
          <a
            href={ownPath(link)}
            target="_blank"
            rel="noreferrer"
            className="sp-button sp-button-secondary sp-button-sm"
            aria-label={`Open the link of “${subject}”`}
          >
            <ExternalLink size={14} aria-hidden="true" />
            Open link
          </a>
        )}
      </div>
    </div>
  )
}

/** Links name the issuer, which may not be the name that this page was opened under. */
function ownPath(link: string): string {
  const { pathname, hash } = new URL(link)
  return `${pathname}${hash}`
}
