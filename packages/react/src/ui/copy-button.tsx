/**
 * Copies a text.
 *
 * @module
 */

import { Check, Copy } from 'lucide-react'
import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { useMessages } from '../context.ts'
import { Button } from './button.tsx'

export interface CopyButtonProps {
  readonly text: string
  /** For buttons that show no more than their icon: what is copied. */
  readonly label?: string
}

const SHOWN_MS = 2000

/** Says that it has copied, where it has. */
export function CopyButton({ text, label }: CopyButtonProps): ReactNode {
  const { common } = useMessages()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const Icon = copied ? Check : Copy
  const copy = (): void => {
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  return (
    <Button
      size="sm"
      variant={label === undefined ? 'secondary' : 'ghost'}
      iconOnly={label !== undefined}
      aria-label={label === undefined ? undefined : copied ? common.copied : label}
      icon={<Icon size={14} aria-hidden="true" />}
      onClick={copy}
    >
      {label === undefined ? (copied ? common.copied : common.copy) : undefined}
    </Button>
  )
}
