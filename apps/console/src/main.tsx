/**
 * The console of Sallyport.
 *
 * @module
 */

import './styles.css'
import { SallyportProvider } from '@sallyport/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { router } from './router.tsx'
import { sallyport } from './sallyport.ts'

const root = document.getElementById('root')
if (root === null) throw new TypeError('the page has no place for the console')
createRoot(root).render(
  <StrictMode>
    <SallyportProvider sallyport={sallyport} locale={navigator.language}>
      <RouterProvider router={router} />
    </SallyportProvider>
  </StrictMode>,
)
