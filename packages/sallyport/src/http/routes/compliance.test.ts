import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InProcess, Member } from '../../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../../tests/support/in-process.ts'

let api: InProcess
let owner: Member
beforeAll(async () => {
  api = await openInProcess()
  owner = await api.signUp({ tenantName: 'a"; filename="b.html ü 🗝' })
})
afterAll(() => api?.close())

test.each([
  ['GET', '/api/compliance/export/user-sessions.csv', 'text/csv; charset=utf-8; header=present', /\.csv"$/],
  ['GET', '/api/compliance/export/audit-logs.json', 'application/json; charset=utf-8', /\.json"$/],
  ['POST', '/api/compliance/evidence-bundles', 'application/zip', /\.zip"$/],
])('%s %s is a file to keep, and no page, whatever is in it', async (method, path, type, ending) => {
  await api.open(owner, 'data_export')
  const body = method === 'POST' ? { body: {} } : {}
  const { status, headers, text } = await api.send(method, path, { ...body, token: owner.accessToken })
  expect(status, text.slice(0, 500)).toBe(200)
  const disposition = headers.get('content-disposition') ?? ''
  expect(disposition).toMatch(/^attachment; filename="[\w.-]+"$/)
  expect(disposition).toMatch(ending)
  expect(headers.get('content-type')).toBe(type)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.getSetCookie()).toEqual([])
})
