/**
 * Says plainly that the service cannot be reached. It goes by itself.
 *
 * @module
 */

import { useConnection, useMessages } from '@sallyport/react'
import { WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'

export function ConnectionBanner(): ReactNode {
  const { connection: texts } = useMessages()
  const isDown = useConnection() === 'down'
  return (
    <div role="status">
      {isDown && (
        <p className="flex items-center gap-3 bg-danger px-4 py-2 text-sm text-(--sp-on-danger)">
          <WifiOff size={17} aria-hidden="true" className="shrink-0" />
          <span>
            <strong className="font-semibold">{texts.down}</strong> {texts.downText}
          </span>
        </p>
      )}
    </div>
  )
}
