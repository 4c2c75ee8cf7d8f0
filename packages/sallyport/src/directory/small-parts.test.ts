import { deepEqual, equal, match, throws } from 'node:assert/strict'
import { describe, test } from 'vitest'
import { emailAddress } from './email-address.ts'
import { hashOfPresented, newLink } from './link-token.ts'
import { Outbox } from './outbox.ts'
import { mailsSettled, sendMail } from './send-mail.ts'
import { slugsFor } from './slugs.ts'
import { verificationMail } from './mails.ts'
import { silent } from '../internal/logger.ts'

describe('an email address', () => {
  test('is kept as typed, without the white space around it', () => {
    equal(emailAddress('  Ada.Lovelace+x@Example.COM\t'), 'Ada.Lovelace+x@Example.COM')
  })
  test.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@localhost',
    'a b@example.com',
    'ada@example.com,bob@example.com',
    'ada@example.com\nBcc: bob@example.com',
    'Ada <ada@example.com>',
    '"ada bob"@example.com',
    'ada@exam ple.com',
    'ada@-example.com',
    '.ada@example.com',
    'ada@bob@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    'ädä@example.com',
  ])('is one, and nothing beside it: %j', (input) => {
    throws(() => emailAddress(input), { code: 'INVALID_REQUEST' })
  })
})

describe('a one-time token', () => {
  test('has 256 random bits behind a prefix that scanners know, and only its hash goes to the store', () => {
    const { raw, link } = newLink('invitation')
    match(raw, /^spot_[A-Za-z0-9_-]{43}$/)
    equal(JSON.stringify(link).includes(raw.slice(5)), false)
    deepEqual(hashOfPresented(raw), link.tokenHash)
    equal(newLink('invitation').raw === raw, false)
  })
  test.each(['', 'spot_', 'spot_short', `spot_${'a'.repeat(44)}`, `sprt_${'a'.repeat(43)}`, `spot_${'a'.repeat(42)}!`])(
    'of another form is refused before the database is asked: %j',
    (token) => {
      throws(() => hashOfPresented(token), { code: 'LINK_INVALID' })
    },
  )
})

describe('slugs', () => {
  test('read like the name', () => equal(slugsFor('Café Größe & Söhne, Inc.')[0], 'cafe-gro-e-sohne-inc'))
  test('are there for a name of another alphabet', () => equal(slugsFor('株式会社')[0], 'tenant'))
  test('never look like an id', () => {
    equal(slugsFor('0198c0de-7a11-7c3e-9f00-3c0ffee0cafe')[0]?.startsWith('tenant-'), true)
  })
  test('end with one that is as good as surely free', () => match(slugsFor('Acme').at(-1) ?? '', /^acme-[0-9a-f]{12}$/))
})

describe('the outbox', () => {
  const mail = (to: string) => verificationMail({ to, issuer: 'https://id.example.com', token: 'spot_x' })
  test('keeps the newest, newest last, and finds them by address without case', async () => {
    const outbox = new Outbox({ keep: 2, now: () => new Date(0) })
    for (const to of ['a@example.com', 'b@example.com', 'B@example.com']) await outbox.send(mail(to))
    deepEqual(
      outbox.messages().map(({ to }) => to),
      ['b@example.com', 'B@example.com'],
    )
    equal(outbox.messages('b@EXAMPLE.com').length, 2)
    equal(outbox.messages('a@example.com').length, 0)
  })
})

test('a mail that cannot be sent throws nothing, and the log does not name its receiver', async () => {
  const lines: unknown[] = []
  const mailer = {
    send: () => Promise.reject(Object.assign(new Error('no such user ada@example.com'), { code: 'E550' })),
  }
  const log = { ...silent, error: (fields: unknown, message: string) => void lines.push(fields, message) }
  sendMail({ mailer, log }, verificationMail({ to: 'ada@example.com', issuer: 'https://x.example', token: 'spot_x' }))
  await mailsSettled({ mailer })
  equal(lines.length, 2)
  equal(JSON.stringify(lines).includes('ada'), false)
  equal(JSON.stringify(lines).includes('E550'), true)
})
