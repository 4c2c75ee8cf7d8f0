/**
 * The pages and their addresses. Each page is a part of its own that is fetched when it is gone to.
 *
 * @module
 */

import type { ComponentType } from 'react'
import { lazy } from 'react'
import type { RouteObject } from 'react-router'
import { createBrowserRouter, Navigate } from 'react-router'
import { GuestLayout } from './layout/guest-layout.tsx'
import { PageFailure } from './layout/page-failure.tsx'
import { Permitted } from './layout/permitted.tsx'
import { Shell } from './layout/shell.tsx'
import { Home } from './pages/home.tsx'
import { NotFound } from './pages/not-found.tsx'
import { SignIn } from './pages/sign-in/sign-in.tsx'

/** A part that is not there yet leaves the frame standing, and on the way from one page to another the page before. */
function lazily(
  load: () => Promise<{ readonly Page: ComponentType }>,
  permission?: string,
): Pick<RouteObject, 'element'> {
  const Page = lazy(async () => ({ default: (await load()).Page }))
  return {
    element: (
      <Permitted permission={permission}>
        <Page />
      </Permitted>
    ),
  }
}

const VIEW = 'SETTINGS_SECURITY_VIEW'
const TEAM_VIEW = 'SETTINGS_TEAM_VIEW'

export const router = createBrowserRouter([
  {
    element: <GuestLayout />,
    errorElement: <PageFailure />,
    children: [
      { path: '/sign-in', element: <SignIn /> },
      { path: '/sign-up', ...lazily(() => import('./pages/sign-in/sign-up.tsx')) },
      { path: '/forgot-password', ...lazily(() => import('./pages/sign-in/forgot-password.tsx')) },
      { path: '/reset', ...lazily(() => import('./pages/sign-in/reset-password.tsx')) },
      { path: '/accept-invitation', ...lazily(() => import('./pages/sign-in/accept-invitation.tsx')) },
      { path: '/verify-email', ...lazily(() => import('./pages/sign-in/verify-email.tsx')) },
    ],
  },
  {
    element: <Shell />,
    errorElement: <PageFailure />,
    children: [
      {
        errorElement: <PageFailure />,
        children: [
          { path: '/', element: <Home /> },
          { path: '/overview', ...lazily(() => import('./pages/overview/overview.tsx'), VIEW) },
          { path: '/incidents', ...lazily(() => import('./pages/incidents/incidents.tsx'), VIEW) },
          { path: '/incidents/:incidentId', ...lazily(() => import('./pages/incidents/case-file.tsx'), VIEW) },
          { path: '/sessions', ...lazily(() => import('./pages/sessions.tsx')) },
          { path: '/team', ...lazily(() => import('./pages/team/team.tsx'), TEAM_VIEW) },
          { path: '/team/:userId', ...lazily(() => import('./pages/team/member.tsx'), TEAM_VIEW) },
          { path: '/impersonations', ...lazily(() => import('./pages/impersonations.tsx'), VIEW) },
          { path: '/ip-rules', ...lazily(() => import('./pages/ip-rules.tsx'), VIEW) },
          { path: '/audit', ...lazily(() => import('./pages/audit.tsx'), VIEW) },
          { path: '/compliance', ...lazily(() => import('./pages/compliance.tsx'), VIEW) },
          { path: '/compliance/exports', ...lazily(() => import('./pages/exports.tsx'), VIEW) },
          { path: '/settings', element: <Navigate to="/settings/account" replace /> },
          { path: '/settings/account', ...lazily(() => import('./pages/settings/account.tsx')) },
          { path: '/settings/tenant', ...lazily(() => import('./pages/settings/tenant.tsx'), VIEW) },
          { path: '/outbox', ...lazily(() => import('./pages/outbox.tsx')) },
          { path: '*', element: <NotFound /> },
        ],
      },
    ],
  },
])
