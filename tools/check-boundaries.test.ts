import { expect, test } from 'vitest'
import { checkBoundaries } from './check-boundaries.ts'
import { plant } from './support/planted.ts'

const SRC = 'packages/sallyport/src'

/** What is found where one file holds one import. */
async function found(file: string, statement: string): Promise<string[]> {
  const root = await plant({ [file]: `/** A module. */\n\n${statement}\n` })
  return (await checkBoundaries(root)).map((problem) => `${problem.file}:${problem.line}`)
}

test.each([
  [`${SRC}/sessions/revoke.ts`, "import { problem } from '../http/problem.ts'"],
  [`${SRC}/sessions/revoke.ts`, "import type { Problem } from '../http/problem.ts'"],
  [`${SRC}/sessions/revoke.ts`, "import {\n  a,\n  b,\n} from '../store/postgres/sessions.ts'"],
  [`${SRC}/sessions/revoke.ts`, "export { sessions } from '../store/pglite/open.ts'"],
  [`${SRC}/sessions/revoke.ts`, "const store = await import('../store/postgres/sessions.ts')"],
  [`${SRC}/sessions/revoke.ts`, "import pg from 'pg'"],
  [`${SRC}/sessions/revoke.ts`, "import { eq } from 'drizzle-orm/pg-core'"],
  [`${SRC}/sessions/revoke.ts`, "import { Hono } from 'hono'"],
  [`${SRC}/sessions/revoke.ts`, "import { sallyport } from '../sallyport.ts'"],
  [`${SRC}/http/app.ts`, "import '../store/postgres/sessions.ts'"],
  [`${SRC}/http/app.ts`, "import { express } from '../adapters/express.ts'"],
  [`${SRC}/internal/duration.ts`, "import { revoke } from '../sessions/revoke.ts'"],
  [`${SRC}/store/postgres/sessions.ts`, "import { revoke } from '../../sessions/revoke.ts'"],
  [`${SRC}/store/contract.ts`, "import { open } from './postgres/open.ts'"],
  [`${SRC}/sessions/revoke.ts`, "import { serve } from '@sallyport/server'"],
  [`${SRC}/evidence/create-bundle.ts`, "import { exec } from 'node:child_process'"],
  ['packages/server/src/http/handler.ts', "import { deserialize } from 'v8'"],
  ['packages/server/src/cli.ts', "import { revoke } from '../../sallyport/src/sessions/revoke.ts'"],
  ['packages/client/src/service.ts', "import { ERROR_STATUS } from 'sallyport'"],
  ['packages/client/src/service.ts', "import type { Session } from '../../sallyport/src/sessions/describe.ts'"],
  ['packages/client/src/service.ts', "import { createHash } from 'node:crypto'"],
  ['packages/client/src/service.ts', "import { decodeJwt } from 'jose'"],
  ['packages/react/src/hooks/query.ts', "import { sallyport } from 'sallyport'"],
  ['packages/react/src/hooks/query.ts', "import { send } from '../../../client/src/service.ts'"],
  ['packages/react/src/proof/bytes.ts', "import { createHash } from 'node:crypto'"],
  ['packages/react/src/hooks/query.ts', "const answer = await fetch('/api/auth/me')"],
  ['apps/console/src/pages/team.tsx', "import { createClient } from '@sallyport/client'"],
  ['apps/console/src/pages/team.tsx', "import { Card } from '../../../../packages/react/src/ui/surface.tsx'"],
  ['apps/console/src/pages/team.tsx', "const source = new EventSource('/api/events')"],
])('%s may not hold: %s', async (file, statement) => {
  expect(await found(file, statement)).toEqual([`${file}:3`])
})

test.each([
  [`${SRC}/http/routes/sessions.ts`, "import { revoke } from '../../sessions/revoke.ts'"],
  [`${SRC}/sessions/revoke.ts`, "import type { Store } from '../store/contract.ts'"],
  [`${SRC}/sessions/revoke.ts`, "import { record } from '../audit/record.ts'"],
  [`${SRC}/store/pglite/open.ts`, "import { sessions } from '../postgres/sessions.ts'"],
  [`${SRC}/store/postgres/sessions.ts`, "import { leafHash } from '../../audit/leaf.ts'"],
  [`${SRC}/store/postgres/sessions.ts`, "import type { Role } from '../../directory/roles.ts'"],
  [`${SRC}/store/postgres/sessions.ts`, "import pg from 'pg'"],
  [`${SRC}/postgres.ts`, "import { open } from './store/postgres/open.ts'"],
  [`${SRC}/sallyport.ts`, "import { app } from './http/app.ts'"],
  [`${SRC}/sessions/revoke.test.ts`, "import { open } from '../store/pglite/open.ts'"],
  ['packages/server/src/cli.ts', "import { sallyport } from 'sallyport'"],
  ['packages/client/src/service.ts', "import { OPERATIONS } from './generated/operations.ts'"],
  ['packages/client/src/testing/clock.ts', "import { vi } from 'vitest'"],
  ['packages/react/src/hooks/query.ts', "import { SallyportError } from '@sallyport/client'"],
  ['packages/react/src/hooks/query.ts', 'const answer = await client.fetch(address)'],
  ['apps/console/src/pages/team.tsx', "import { Card } from '@sallyport/react/ui'"],
])('%s may hold: %s', async (file, statement) => {
  expect(await found(file, statement)).toEqual([])
})

test('what a comment or a string says is no import', async () => {
  const file = `${SRC}/sessions/revoke.ts`
  expect(
    await found(file, "/**\n * import { a } from '../http/app.ts'\n */\nconst text = `import x from 'pg'`"),
  ).toEqual([])
})
