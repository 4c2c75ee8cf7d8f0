import type { ErrorCode, ProblemFacts } from '@sallyport/client'
import { SallyportError } from '@sallyport/client'
import { expect, test } from 'vitest'
import { during, openPage, withPages } from '../testing/page.tsx'
import { useErrorText } from './errors.ts'
import { useFieldErrors } from './field-errors.ts'
import { useNotices } from './use-sallyport.ts'

withPages()

const refusal = (code: string, facts: object = {}, message = 'as it is') =>
  new SallyportError(code as ErrorCode, message, { status: 400, facts: facts as ProblemFacts })

test.each<[string, SallyportError, string]>([
  ['the host has words for it', refusal('FORBIDDEN'), 'You are not allowed to do this.'],
  ['the API has', refusal('PASSWORD_REJECTED', {}, 'the password is known'), 'The password is known.'],
  ['they end as a sentence already', refusal('PASSWORD_REJECTED', {}, 'Is it?'), 'Is it?'],
  ['the field stands beside it', refusal('INVALID_REQUEST', { field: 'email' }, 'email: must be one'), 'Must be one.'],
  ['it is another field', refusal('INVALID_REQUEST', { field: 'name' }, 'email: must be one'), 'Email: must be one.'],
  [
    'it may be tried in a while',
    refusal('RATE_LIMITED', { retryAfter: 30 }),
    'Too many tries. Try again in 30 seconds.',
  ],
  ['nobody knows when', refusal('RATE_LIMITED'), 'Too many tries. Wait a little, then try again.'],
  ['the code is a word of the language', refusal('constructor', {}, 'as it is'), 'As it is.'],
])('a refusal in words, where %s', async (_, error, words) => {
  const text = await openPage().use(() => useErrorText())
  expect(text.current(error)).toBe(words)
})

test('words are those of the host, and the function stays the same', async () => {
  const page = openPage()
  const options = { messages: { errors: { FORBIDDEN: 'Nicht erlaubt.' } } }
  const used = await page.use(() => ({ text: useErrorText(), notices: useNotices() }), options)
  expect(used.current.text(refusal('FORBIDDEN'))).toBe('Nicht erlaubt.')
  expect(used.current.text(refusal('NOT_FOUND'))).toBe('It is not there any more.')
  await during(() => page.sallyport.notify('A word'))
  expect(used.current.notices).toHaveLength(1)
  expect(new Set(used.all.map(({ text }) => text)).size).toBe(1)
})

/** A form with two fields, which is refused. */
async function form(error: SallyportError | undefined) {
  const page = openPage()
  const state = { error }
  const used = await page.use(() => {
    // Renders the form anew.
    useNotices()
    return useFieldErrors(state, ['email', 'address'])
  })
  const refuse = async (next: SallyportError) => {
    state.error = next
    await during(() => page.sallyport.notify('Refused'))
  }
  return { used, refuse }
}

test('a form that was not refused shows nothing', async () => {
  const { used } = await form(undefined)
  expect([used.current.of('email'), used.current.form]).toEqual([undefined, undefined])
})

test.each<[string, SallyportError, string]>([
  ['the API names', refusal('INVALID_REQUEST', { field: 'email' }, 'email: no'), 'email'],
  ['holds what the API names', refusal('INVALID_REQUEST', { field: 'address.city' }, 'no'), 'address'],
  ['an address that is taken is about', refusal('EMAIL_TAKEN'), 'email'],
  ['somebody who is a member already is about', refusal('ALREADY_MEMBER'), 'email'],
])('a refusal stands at the field that %s, and nowhere else', async (_, error, field) => {
  const { used } = await form(error)
  expect(used.current.of(field)).toBeTypeOf('string')
  expect(['email', 'address'].filter((one) => one !== field).map(used.current.of)).toEqual([undefined])
  expect(used.current.form).toBeUndefined()
})

test.each<[string, SallyportError]>([
  ['no field', refusal('FORBIDDEN')],
  ['a field that is not shown', refusal('INVALID_REQUEST', { field: 'tenantName' })],
  ['a field whose name only begins like one', refusal('INVALID_REQUEST', { field: 'emails' })],
])('a refusal that is about %s is about the form', async (_, error) => {
  const { used } = await form(error)
  expect(used.current.form).toBeTypeOf('string')
  expect([used.current.of('email'), used.current.of('address')]).toEqual([undefined, undefined])
})

test('a step-up that was closed is no error', async () => {
  const { used } = await form(refusal('STEP_UP_CANCELLED'))
  expect([used.current.of('email'), used.current.form]).toEqual([undefined, undefined])
})

test('a field that is changed is no longer wrong, until the form is refused again', async () => {
  const { used, refuse } = await form(refusal('INVALID_REQUEST', { field: 'email' }))
  await during(() => used.current.clear('address'))
  expect(used.current.of('email')).toBe('As it is.')
  await during(() => used.current.clear('email'))
  expect(used.current.of('email')).toBeUndefined()
  await refuse(refusal('INVALID_REQUEST', { field: 'email' }, 'no'))
  expect(used.current.of('email')).toBe('No.')
})

test('what is about the form stays while fields are changed', async () => {
  const { used } = await form(refusal('FORBIDDEN'))
  await during(() => used.current.clear('email'))
  expect(used.current.form).toBeTypeOf('string')
})
