import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'

let api: InProcess
beforeAll(async () => {
  api = await openInProcess()
})
afterAll(() => api?.close())

async function change(on: InProcess, owner: Member, emailCodes: boolean): Promise<Sent> {
  await on.open(owner, 'security_settings')
  const body = { stepUp: { emailCodes } }
  return on.send('PATCH', '/api/security/settings', { body, token: owner.accessToken })
}

test('a tenant switches codes by mail off and on again, on the record, and no other tenant’s', async () => {
  const [owner, other] = [await api.signUp(), await api.signUp()]
  const factorsOf = async ({ accessToken: token }: Member): Promise<unknown> =>
    (await api.send('POST', '/api/security/sessions/revoke-others', { token })).body.factors
  const ask = ({ accessToken: token }: Member): Promise<Sent> =>
    api.send('POST', '/api/security/step-up/email-code', { body: { purpose: 'data_export' }, token })

  expect((await ask(owner)).status).toBe(202)
  const sent = api.mails(owner.email).at(-1)
  const off = await change(api, owner, false)
  expect(off.body).toMatchObject({ stepUp: { emailCodes: false }, effective: { emailCodes: false } })
  expect(await factorsOf(owner)).toEqual([])
  expect((await ask(owner)).body.error).toBe('NO_FACTOR')
  // Also what was sent before opens nothing.
  const given = { purpose: 'data_export', factor: 'email_code', code: sent?.code }
  const late = await api.send('POST', '/api/security/step-up/verify', { body: given, token: owner.accessToken })
  expect([late.status, late.body.error]).toEqual([400, 'NO_FACTOR'])
  const [row] = await api.rows(`select old_value, new_value from audit_logs
    where tenant_id = '${owner.tenantId}' and action = 'SETTINGS_UPDATED'`)
  expect(row).toEqual({ old_value: { 'stepUp.emailCodes': true }, new_value: { 'stepUp.emailCodes': false } })

  expect(await factorsOf(other)).toEqual(['email_code'])
  expect((await change(api, owner, true)).body.effective.emailCodes).toBe(true)
  expect(await factorsOf(owner)).toEqual(['email_code'])
})

test('what is off for the whole service no tenant turns on', async () => {
  const without = await openInProcess({ stepUp: { emailCodes: false } })
  try {
    const owner = await without.signUp()
    const refused = await change(without, owner, true)
    expect([refused.status, refused.body.field]).toEqual([400, 'stepUp.emailCodes'])
    const shown = await without.send('GET', '/api/security/settings', { token: owner.accessToken })
    expect(shown.body).toMatchObject({ stepUp: { emailCodes: true }, effective: { emailCodes: false } })
  } finally {
    await without.close()
  }
})
