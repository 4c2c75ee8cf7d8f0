/**
 * The one client of this page.
 *
 * @module
 */

import { createSallyport } from '@sallyport/react'
import { config } from './config.ts'

export const sallyport = createSallyport({ basePath: config.basePath, delivery: 'cookie' })
