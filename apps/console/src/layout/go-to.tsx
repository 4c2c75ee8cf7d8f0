/**
 * Goes to a page by its name: Ctrl or Cmd and K, a few letters, Enter.
 *
 * @module
 */

import { Dialog, SearchInput } from '@sallyport/react/ui'
import type { ReactNode } from 'react'
import { useEffect, useId, useState } from 'react'
import { useNavigate } from 'react-router'
import type { Destination, DestinationGroup } from './navigation.ts'

export function GoTo({ groups }: { readonly groups: readonly DestinationGroup[] }): ReactNode {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      event.preventDefault()
      // Over another dialog it would leave that one behind, half filled in.
      if (document.querySelector('dialog[open]') === null) setOpen(true)
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
  return open ? (
    <Palette destinations={groups.flatMap((group) => group.destinations)} onClose={() => setOpen(false)} />
  ) : null
}

interface PaletteProps {
  readonly destinations: readonly Destination[]
  readonly onClose: () => void
}

function Palette({ destinations, onClose }: PaletteProps): ReactNode {
  const navigate = useNavigate()
  const id = useId()
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const found = destinations.filter(({ label }) => label.toLowerCase().includes(typed.trim().toLowerCase()))
  const chosen = found[Math.min(at, found.length - 1)]
  const go = (destination: Destination | undefined): void => {
    if (destination === undefined) return
    onClose()
    void navigate(destination.to)
  }
  return (
    <Dialog size="sm" title="Go to" onClose={onClose} onSubmit={() => go(chosen)}>
      <SearchInput
        role="combobox"
        aria-label="Name of a page"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={chosen === undefined ? undefined : `${id}-${chosen.to}`}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
          if (step === undefined || found.length === 0) return
          event.preventDefault()
          setAt((Math.min(at, found.length - 1) + step + found.length) % found.length)
        }}
      />
      {/* A list to choose from, by the pattern of a combobox. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role */}
      <ul id={`${id}-list`} role="listbox" aria-label="Pages" className="-mx-2 -my-1 min-h-[200px]">
        {found.map((destination) => {
          const Icon = destination.icon
          return (
            // The keyboard chooses through the field above.
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={destination.to}
              id={`${id}-${destination.to}`}
              // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role
              role="option"
              aria-selected={destination === chosen}
              className="menu-item text-sm"
              data-highlighted={destination === chosen || undefined}
              onClick={() => go(destination)}
            >
              <Icon size={16} aria-hidden="true" />
              {destination.label}
            </li>
          )
        })}
        {found.length === 0 && <li className="px-2.5 py-2 text-sm text-faint">No page of that name.</li>}
      </ul>
    </Dialog>
  )
}
