/**
 * The verifier of evidence bundles, for whoever checks one without running Sallyport.
 *
 * @module
 */

export type { Manifest, ManifestFile } from './evidence/verifying/manifest.ts'
export type { BundleReport, VerifyBundleOptions } from './evidence/verifying/verify-bundle.ts'
export { verifyBundle } from './evidence/verifying/verify-bundle.ts'
