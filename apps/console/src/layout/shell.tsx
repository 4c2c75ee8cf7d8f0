/**
 * Around every page of those who are signed in: where they are, where they can go, who they are.
 *
 * @module
 */

import { ImpersonationBanner, useResume, useSession } from '@sallyport/react'
import { Menu } from 'lucide-react'
import type { ReactNode } from 'react'
import { Suspense, useEffect, useRef, useState } from 'react'
import { Link, Navigate, NavLink, Outlet, useLocation, useNavigation } from 'react-router'
import { Logo } from '../parts/logo.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { GoTo } from './go-to.tsx'
import { Held } from './held.tsx'
import type { DestinationGroup } from './navigation.ts'
import { destinationsFor } from './navigation.ts'
import { PageSkeleton } from './page-skeleton.tsx'
import { UserMenu } from './user-menu.tsx'

export function Shell(): ReactNode {
  const auth = useSession()
  const location = useLocation()
  if (auth.status === 'signed-out') {
    const next = `${location.pathname}${location.search}`
    return <Navigate to="/sign-in" replace state={{ next, reason: auth.reason }} />
  }
  const groups = auth.status === 'signed-in' ? destinationsFor(auth.staff.permissions) : []
  const tenant = auth.status === 'signed-in' ? auth.tenant.name : undefined
  return (
    <div data-shell="" className="min-h-dvh lg:flex">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-raised px-3 py-2 text-sm font-medium text-ink shadow-lg focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <aside className="hidden w-[236px] shrink-0 border-r border-line bg-surface lg:block">
        <div className="sticky top-0 flex h-dvh flex-col">
          <Brand tenant={tenant} />
          <nav aria-label="Pages" className="flex-1 overflow-y-auto px-3 py-2">
            <Destinations groups={groups} />
          </nav>
          <div className="border-t border-line p-2">
            <UserMenu wide />
          </div>
        </div>
      </aside>
      <div className="min-w-0 flex-1">
        <div className="sticky top-0 z-30">
          <ImpersonationBanner />
          <ConnectionBanner />
          <TopBar groups={groups} tenant={tenant} />
        </div>
        <main id="content" tabIndex={-1} className="outline-none">
          <PageContent known={auth.status === 'signed-in'} />
        </main>
      </div>
      <GoTo groups={groups} />
    </div>
  )
}

function PageContent({ known }: { readonly known: boolean }): ReactNode {
  const { pathname } = useLocation()
  const { state } = useNavigation()
  const { error } = useResume()
  // A block, because what it gives back is no clean-up.
  useEffect(() => {
    window.scrollTo({ top: 0 })
  }, [pathname])
  if (!known) return error === undefined ? <PageSkeleton /> : <Held />
  return (
    <div aria-busy={state === 'loading'}>
      <Suspense fallback={<PageSkeleton />}>
        <Outlet />
      </Suspense>
    </div>
  )
}

function Brand({ tenant }: { readonly tenant: string | undefined }): ReactNode {
  return (
    <Link to="/" className="focus-inset flex h-[60px] items-center gap-2.5 px-4 text-ink no-underline">
      <Logo size={28} />
      <span className="min-w-0 leading-tight">
        <span className="block text-[0.9375rem] font-semibold tracking-[-0.01em]">Sallyport</span>
        <span className="block h-4 truncate text-xs text-faint" title={tenant}>
          {tenant}
        </span>
      </span>
    </Link>
  )
}

function Destinations({ groups }: { readonly groups: readonly DestinationGroup[] }): ReactNode {
  return groups.map(({ label, destinations }) => (
    <section key={label} aria-label={label} className="mb-4">
      <p aria-hidden="true" className="px-2.5 pt-1 pb-1.5 text-xs font-medium text-faint">
        {label}
      </p>
      <ul>
        {destinations.map(({ to, label: name, icon: Icon }) => (
          <li key={to}>
            <NavLink
              to={to}
              className="focus-inset group flex h-[34px] items-center gap-2.5 rounded-[7px] px-2.5 text-[0.875rem] text-soft no-underline hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent"
            >
              <Icon size={17} strokeWidth={1.8} aria-hidden="true" className="shrink-0" />
              {name}
            </NavLink>
          </li>
        ))}
      </ul>
    </section>
  ))
}

interface TopBarProps {
  readonly groups: readonly DestinationGroup[]
  readonly tenant: string | undefined
}

/** On narrow screens, in place of the side bar. */
function TopBar({ groups, tenant }: TopBarProps): ReactNode {
  const { pathname } = useLocation()
  const dialog = useRef<HTMLDialogElement>(null)
  const [open, setOpen] = useState(false)
  useEffect(() => {
    if (open) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open])
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- having arrived closes it
  useEffect(() => setOpen(false), [pathname])
  return (
    <header className="flex h-[52px] items-center gap-1 border-b border-line bg-surface pr-2 pl-1.5 lg:hidden">
      <button
        type="button"
        aria-label="Pages"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className="grid size-10 place-items-center rounded-md text-soft hover:bg-hover"
      >
        <Menu size={20} aria-hidden="true" />
      </button>
      <Link to="/" className="flex min-w-0 flex-1 items-center gap-2 text-ink no-underline">
        <Logo size={24} />
        <span className="truncate text-sm font-semibold">{tenant ?? 'Sallyport'}</span>
      </Link>
      <UserMenu />
      {/* The keyboard's way out is Escape, which the browser sees to. */}
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
      <dialog
        ref={dialog}
        aria-label="Pages"
        onClose={() => setOpen(false)}
        onClick={(event) => {
          if (event.target === event.currentTarget) setOpen(false)
        }}
        className="m-0 h-dvh max-h-none w-[272px] max-w-[84vw] border-r border-line bg-surface p-0 text-ink backdrop:bg-(--sp-backdrop)"
      >
        <Brand tenant={tenant} />
        <nav aria-label="Pages" className="px-3 py-2">
          <Destinations groups={groups} />
        </nav>
      </dialog>
    </header>
  )
}
