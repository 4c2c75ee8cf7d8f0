/**
 * Around the pages for those who are not signed in.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { Suspense } from 'react'
import { Outlet } from 'react-router'
import { Logo } from '../parts/logo.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { ThemeSwitch } from './theme-switch.tsx'

export function GuestLayout(): ReactNode {
  return (
    <div className="flex min-h-dvh flex-col">
      <ConnectionBanner />
      <header className="flex items-center justify-between px-5 py-4">
        <span className="flex items-center gap-2.5 text-[0.9375rem] font-semibold tracking-[-0.01em]">
          <Logo />
          Sallyport
        </span>
        <ThemeSwitch />
      </header>
      <main className="flex flex-1 flex-col items-center px-4 pt-[min(9vh,80px)] pb-16">
        <Suspense fallback={null}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  )
}
