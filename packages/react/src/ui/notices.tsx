/**
 * A few words about what was just done, at the bottom of the page.
 *
 * @module
 */

import { CircleAlert, CircleCheck, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { useContextOf, useMessages } from '../context.ts'
import type { Notice } from '../create-sallyport.ts'

const SHOWN_MS = 5000

/** Read out as they come; they leave by themselves, and stay while they are pointed at. */
export function Notices(): ReactNode {
  const { page } = useContextOf('Notices')
  const notices = useStore(page, (state) => state.notices)
  return (
    <div className="sp-scope sp-toasts" role="status" aria-live="polite">
      {notices.map((notice) => (
        <NoticeLine key={notice.id} notice={notice} />
      ))}
    </div>
  )
}

function NoticeLine({ notice: { id, tone, text } }: { readonly notice: Notice }): ReactNode {
  const { dismiss } = useContextOf('Notices')
  const { common } = useMessages()
  const pointedAt = useRef(false)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!pointedAt.current) dismiss(id)
    }, SHOWN_MS)
    return () => clearInterval(timer)
  }, [id, dismiss])
  return (
    <div
      className="sp-toast"
      data-tone={tone}
      onPointerEnter={() => {
        pointedAt.current = true
      }}
      onPointerLeave={() => {
        pointedAt.current = false
      }}
    >
      {tone === 'ok' ? <CircleCheck size={16} aria-hidden="true" /> : <CircleAlert size={16} aria-hidden="true" />}
      <span>{text}</span>
      <button type="button" aria-label={common.dismiss} onClick={() => dismiss(id)}>
        <X size={14} aria-hidden="true" />
      </button>
    </div>
  )
}
