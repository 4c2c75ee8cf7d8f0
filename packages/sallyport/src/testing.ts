/**
 * The store contract as runnable tests: what a store of one's own must pass before it holds anybody's sessions. It depends
 * on no test runner.
 *
 * @module
 */

import { auditStoreContract } from './store/conformance/audit.ts'
import { feedStoreContract } from './store/conformance/feed.ts'
import type { OpenHarness, Runner } from './store/conformance/harness.ts'
import { keyStoreContract } from './store/conformance/keys.ts'
import { overviewStoreContract } from './store/conformance/overview.ts'
import { riskStoreContract } from './store/conformance/risk.ts'
import { sessionStoreContract } from './store/conformance/sessions.ts'
import { tokenStoreContract } from './store/conformance/tokens.ts'

export { auditStoreContract } from './store/conformance/audit.ts'
export { feedStoreContract } from './store/conformance/feed.ts'
export type {
  BrokenStore,
  MemberIds,
  OpenHarness,
  Runner,
  StoreHarness,
  StoreUnderTest,
} from './store/conformance/harness.ts'
export type { KeyStoreUnderTest } from './store/conformance/keys.ts'
export { keyStoreContract } from './store/conformance/keys.ts'
export { overviewStoreContract } from './store/conformance/overview.ts'
export { riskStoreContract } from './store/conformance/risk.ts'
export { sessionStoreContract } from './store/conformance/sessions.ts'
export { tokenStoreContract } from './store/conformance/tokens.ts'

/**
 * Registers the contract of every port.
 *
 * @param runner Anything with a `test(name, body)`.
 * @param open Answers the implementation under test; called by each case, and free to answer the same one.
 */
export function storeContract(runner: Runner, open: OpenHarness): void {
  tokenStoreContract(runner, open)
  sessionStoreContract(runner, open)
  riskStoreContract(runner, open)
  feedStoreContract(runner, open)
  auditStoreContract(runner, open)
  overviewStoreContract(runner, open)
  keyStoreContract(runner.test, async () => (await open()).emptyKeys())
}
