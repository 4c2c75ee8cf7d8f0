/**
 * Sends what must be refused, and looks at all that a refusal may leave: an answer, one row in the log, and nothing else.
 *
 * @module
 */

import { expect } from 'vitest'
import { newId } from '../../packages/sallyport/src/ids.ts'
import type { InProcess, Member, Sent } from './in-process.ts'

export interface Refused {
  readonly answer: Sent
  /** The one row. */
  readonly row: Readonly<Record<string, unknown>>
}

/** @throws Where anything changed, or where there is no row, or more than one. */
export async function refused(
  api: InProcess,
  by: Pick<Member, 'accessToken'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<Refused> {
  const before = await api.snapshot()
  const id = newId<string>()
  const answer = await api.send(method, path, { body, token: by.accessToken, headers: { 'x-request-id': id } })
  expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
  expect(await api.snapshot(), `${method} ${path} was refused and changed something`).toEqual(before)
  const rows = await api.rows(
    `select action, outcome, failure_reason as reason, user_id as by, real_user_id as real, tenant_id as tenant from audit_logs
      where correlation_id = '${id}'`,
  )
  expect(rows, `${method} ${path}: the FAIL row`).toMatchObject([{ outcome: 'FAIL', reason: answer.body.error }])
  return { answer, row: rows[0] ?? {} }
}
