/**
 * Hashes passwords quickly in every test that is not about the hash.
 *
 * @module
 */

import { vi } from 'vitest'

vi.mock('../../packages/sallyport/src/directory/passwords.ts', () => import('./quick-passwords.ts'))
