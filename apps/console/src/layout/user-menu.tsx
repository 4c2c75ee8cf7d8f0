/**
 * Who one is, the theme, and the way out: on every page.
 *
 * @module
 */

import * as Dropdown from '@radix-ui/react-dropdown-menu'
import { useAction, useMessages, useSallyport, useSession, wordFor } from '@sallyport/react'
import { Avatar, Skeleton } from '@sallyport/react/ui'
import { BookOpen, Check, ChevronsUpDown, LogOut, Monitor, Moon, ShieldCheck, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { config } from '../config.ts'
import type { Theme } from '../theme.ts'
import { useTheme } from '../theme.ts'

const THEMES = [
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
  { value: 'system', label: 'As the device', icon: Monitor },
] as const

export function UserMenu({ wide = false }: { readonly wide?: boolean }): ReactNode {
  const auth = useSession()
  const { roles } = useMessages()
  if (auth.status !== 'signed-in') {
    return wide ? (
      <div className="flex h-[46px] items-center gap-2.5 px-2">
        <Skeleton width={30} height={30} round />
        <Skeleton width={110} />
      </div>
    ) : null
  }
  const { user, staff, tenant } = auth
  return (
    // Not modal: that would need a style element, which the content security policy refuses.
    <Dropdown.Root modal={false}>
      <Dropdown.Trigger
        aria-label={wide ? undefined : `Account of ${user.name}`}
        className={
          wide
            ? 'focus-inset flex h-[46px] w-full cursor-pointer items-center gap-2.5 rounded-[7px] px-2 text-left hover:bg-hover data-[state=open]:bg-hover'
            : 'grid size-10 cursor-pointer place-items-center rounded-full hover:bg-hover'
        }
      >
        <Avatar name={user.name} size={wide ? 'md' : 'sm'} />
        {wide && (
          <>
            <span className="min-w-0 flex-1 leading-tight">
              <span className="block truncate text-sm font-medium">{user.name}</span>
              <span className="block truncate text-xs text-faint">{wordFor(roles, staff.role)}</span>
            </span>
            <ChevronsUpDown size={15} aria-hidden="true" className="shrink-0 text-faint" />
          </>
        )}
      </Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content
          align={wide ? 'start' : 'end'}
          side={wide ? 'top' : 'bottom'}
          sideOffset={6}
          collisionPadding={8}
          className="menu w-[228px]"
        >
          <div className="px-2.5 pt-2 pb-2.5 leading-snug">
            <p className="truncate text-sm font-medium">{user.name}</p>
            <p className="truncate text-xs text-faint" title={user.email ?? undefined}>
              {user.email}
            </p>
            <p className="mt-1 truncate text-xs text-faint">
              {wordFor(roles, staff.role)} of {tenant.name}
            </p>
          </div>
          <Items />
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  )
}

function Items(): ReactNode {
  const { client } = useSallyport()
  const { theme, set } = useTheme()
  const navigate = useNavigate()
  const signOut = useAction(() => client.signOut())
  return (
    <>
      <Dropdown.Separator className="menu-line" />
      <Dropdown.Label className="menu-label">Theme</Dropdown.Label>
      <Dropdown.RadioGroup value={theme} onValueChange={(value) => set(value as Theme)}>
        {THEMES.map(({ value, label, icon: Icon }) => (
          <Dropdown.RadioItem
            key={value}
            value={value}
            className="menu-item"
            // The menu stays: the theme is something to look at.
            onSelect={(event) => event.preventDefault()}
          >
            <Icon size={16} aria-hidden="true" />
            <span className="flex-1">{label}</span>
            <Dropdown.ItemIndicator>
              <Check size={15} aria-hidden="true" />
            </Dropdown.ItemIndicator>
          </Dropdown.RadioItem>
        ))}
      </Dropdown.RadioGroup>
      <Dropdown.Separator className="menu-line" />
      <Dropdown.Item className="menu-item" onSelect={() => void navigate('/settings/account')}>
        <ShieldCheck size={16} aria-hidden="true" />
        Security settings
      </Dropdown.Item>
      {config.docs !== null && (
        <Dropdown.Item className="menu-item" asChild>
          <a href={config.docs} target="_blank" rel="noreferrer">
            <BookOpen size={16} aria-hidden="true" />
            API documentation
          </a>
        </Dropdown.Item>
      )}
      <Dropdown.Separator className="menu-line" />
      <Dropdown.Item
        className="menu-item"
        disabled={signOut.busy}
        onSelect={(event) => {
          event.preventDefault()
          void signOut.run()
        }}
      >
        <LogOut size={16} aria-hidden="true" />
        Sign out
      </Dropdown.Item>
      {signOut.error !== undefined && (
        <p role="alert" className="px-2.5 py-1.5 text-xs text-danger">
          The service could not be told. You are still signed in: try again.
        </p>
      )}
    </>
  )
}
