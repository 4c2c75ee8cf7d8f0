/**
 * How well somebody is protected.
 *
 * @module
 */

import { useMessages, wordFor } from '@sallyport/react'
import { Badge } from '@sallyport/react/ui'
import { Fingerprint, ShieldAlert, Smartphone } from 'lucide-react'
import type { ReactNode } from 'react'

export function FactorBadges({ factors }: { readonly factors: readonly string[] }): ReactNode {
  const { factors: names } = useMessages()
  const kinds = [...new Set(factors)]
  if (kinds.length === 0) {
    return (
      <Badge tone="warn" icon={<ShieldAlert size={12} aria-hidden="true" />}>
        Password only
      </Badge>
    )
  }
  return (
    <span className="flex flex-wrap justify-end gap-1.5">
      {kinds.map((kind) => {
        const Icon = kind === 'passkey' ? Fingerprint : Smartphone
        return (
          <Badge key={kind} tone="ok" icon={<Icon size={12} aria-hidden="true" />}>
            {wordFor(names, kind)}
          </Badge>
        )
      })}
    </span>
  )
}
