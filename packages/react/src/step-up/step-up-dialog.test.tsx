import type { Factor } from '@sallyport/client'
import { expect, test, vi } from 'vitest'
import { problem } from '../../../client/src/testing/fake-service.ts'
import { during, openPage, withPages } from '../testing/page.tsx'

withPages()

/** A removal that waits for a second factor. */
async function open(factors: readonly Factor[], more: object = {}) {
  const page = openPage()
  page.answer('DELETE /team/s1', () =>
    page.service.family('sid-1').opened.has('team_change')
      ? { success: true }
      : problem(428, 'STEP_UP_REQUIRED', { purpose: 'team_change', factors, ...more }),
  )
  await page.show('Page')
  const removal = await during(() => ({
    done: page.sallyport.client.api.removeMember({ staffId: 's1' }).then(
      () => 'done',
      ({ code }: { readonly code: string }) => code,
    ),
  }))
  const verify = () => page.find('Verify')?.getAttribute('aria-disabled')
  return { page, removal, verify }
}

test('it says what for, and Verify is off until the code is complete', async () => {
  const { page, verify } = await open(['totp'])
  expect(page.text()).toContain('Verify to continue')
  expect(page.text()).toContain('To change the team, verify that it is you.')
  expect(verify()).toBe('true')
  await page.fill('One-time code', '12345')
  expect(verify()).toBe('true')
  await page.fill('One-time code', '123456')
  expect(verify()).toBeNull()
})

test('it is a dialog with a name and a text, and its field is for a one-time code', async () => {
  const { page } = await open(['totp'])
  const [dialog] = page.all('dialog')
  const named = (attribute: string) => document.getElementById(dialog?.getAttribute(attribute) ?? '')?.textContent
  expect(named('aria-labelledby')).toBe('Verify to continue')
  expect(named('aria-describedby')).toBe('To change the team, verify that it is you.')
  expect(page.find('One-time code')?.getAttribute('autocomplete')).toBe('one-time-code')
  expect(document.activeElement).toBe(page.find('One-time code'))
})

test('a code that is right closes it, and the action goes on', async () => {
  const { page, removal } = await open(['totp'])
  await page.fill('One-time code', '123 456')
  await page.press('Verify')
  expect(await removal.done).toBe('done')
  expect(page.text()).toBe('Page')
})

test('a code that is wrong is said in place, the field is empty again, and another can be tried', async () => {
  const { page, removal, verify } = await open(['totp'])
  await page.fill('One-time code', '000000')
  await page.press('Verify')
  expect(page.text()).toContain('That code is not right.')
  expect((page.find('One-time code') as HTMLInputElement).value).toBe('')
  expect(page.find('One-time code')?.getAttribute('aria-invalid')).toBe('true')
  expect(verify()).toBe('true')
  await page.fill('One-time code', '1')
  expect(page.text()).not.toContain('That code is not right.')
  await page.fill('One-time code', '123456')
  await page.press('Verify')
  expect(await removal.done).toBe('done')
})

test('an incomplete code is not sent by Enter either', async () => {
  const { page } = await open(['totp'])
  const before = page.service.asked.length
  await page.fill('One-time code', '123')
  await during(() => page.all('form')[0]?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })))
  expect(page.service.asked).toHaveLength(before)
})

test.each([['Cancel'], ['Close']])('%s gives up: the action is refused, and nothing was done', async (name) => {
  const { page, removal } = await open(['totp'])
  await page.press(name)
  expect(await removal.done).toBe('STEP_UP_CANCELLED')
  expect(page.text()).toBe('Page')
})

test('Escape gives up', async () => {
  const { page, removal } = await open(['totp'])
  await during(() => page.all('dialog')[0]?.dispatchEvent(new Event('cancel', { cancelable: true })))
  expect(await removal.done).toBe('STEP_UP_CANCELLED')
})

test('another way can be taken, and no code is carried over', async () => {
  const { page } = await open(['recovery_code', 'totp'])
  await page.fill('One-time code', '12345')
  await page.press('Recovery code')
  expect((page.find('Recovery code') as HTMLInputElement).value).toBe('')
  await page.press('Authenticator app')
  expect((page.find('One-time code') as HTMLInputElement).value).toBe('')
})

test('a code by mail is sent when it is asked for, and is verified as what it is', async () => {
  const { page, removal, verify } = await open(['email_code'])
  expect(verify()).toBe('true')
  expect(page.service.count('sendEmailCode')).toBe(0)
  page.answer('POST /security/step-up/email-code', { success: true })
  await page.press('Send a code')
  expect(page.service.count('sendEmailCode')).toBe(1)
  page.answer('POST /security/step-up/verify', ({ body }) => {
    expect(body).toMatchObject({ factor: 'email_code', code: '12345678', purpose: 'team_change' })
    page.service.family('sid-1').opened.add('team_change')
    return { success: true }
  })
  await page.fill('Code from the email', '12345678')
  await page.press('Verify')
  expect(await removal.done).toBe('done')
})

test('a code by mail that could not be sent says so', async () => {
  const { page } = await open(['email_code'])
  page.answer('POST /security/step-up/email-code', () => problem(429, 'RATE_LIMITED', { retryAfter: 60 }))
  await page.press('Send a code')
  expect(page.text()).toContain('Too many tries. Try again in 60 seconds.')
})

test('whoever has no factor for it is told, and can only leave', async () => {
  const { page } = await open([])
  expect(page.text()).toContain('You have no second factor that can be used for this.')
  expect(page.find('Verify')).toBeUndefined()
})

test('a browser that has no passkeys begins with the code', async () => {
  const { page } = await open(['passkey', 'totp'])
  expect(page.find('One-time code')).toBeDefined()
  await page.press('Passkey')
  expect(page.text()).toContain('This browser cannot use passkeys.')
})

test('a browser that has passkeys begins with them', async () => {
  vi.stubGlobal('PublicKeyCredential', class {})
  const { page } = await open(['totp', 'passkey'])
  expect(page.find('Use passkey')).toBeDefined()
  expect(page.find('One-time code')).toBeUndefined()
})

test('why a risk was seen is said', async () => {
  const { page } = await open(['totp'], { reasons: ['NEW_COUNTRY', 'IMPOSSIBLE_TRAVEL'] })
  expect(page.text()).toContain('Unusual: New country, Impossible travel')
})

test('a session that ended while the code was typed closes it', async () => {
  const { page, removal } = await open(['totp'])
  page.service.revoke('sid-1')
  await page.fill('One-time code', '123456')
  await page.press('Verify')
  expect(await removal.done).not.toBe('done')
  expect(page.text()).toBe('Page')
  expect(page.sallyport.page.getState().auth.status).toBe('signed-out')
})
