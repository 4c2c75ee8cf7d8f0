/**
 * `npm run build`: makes the template of the embedded database, so that a first start runs neither `initdb` nor the
 * migrations.
 *
 * @module
 */

import { makeTemplate } from '../packages/sallyport/src/store/pglite/make-template.ts'

await makeTemplate()
