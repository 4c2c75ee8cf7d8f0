import { equal, match } from 'node:assert/strict'
import { describe, test } from 'vitest'
import {
  invitationMail,
  knownAddressMail,
  passwordChangedMail,
  resetMail,
  reuseMail,
  verificationMail,
} from './mails.ts'

const LINK = { to: 'ada@example.com', issuer: 'https://id.example.com', token: 'spot_abc' }
const HOSTILE = `<img src=x onerror=alert(1)>"'&{{7*7}}\r\nBcc: all@example.com\u202e`

describe('what people typed stays text', () => {
  const mail = invitationMail({ ...LINK, tenantName: HOSTILE, inviterName: HOSTILE, role: 'member' })
  test('no markup comes through', () => {
    equal(/<img/.test(mail.html), false)
    equal(mail.html.includes('&lt;img'), true)
  })
  test('a template in it is not run', () => {
    equal(mail.text.includes('{{7*7}}'), true)
    equal(mail.html.includes('{{7*7}}'), true)
  })
  test('no line of a header is begun in the subject, and no direction turned', () => {
    equal(/[\r\n\u202e]/.test(mail.subject), false)
  })
  test('a name as long as a letter is cut', () => {
    const { subject } = invitationMail({ ...LINK, tenantName: 'A'.repeat(5000), inviterName: 'B', role: 'member' })
    equal(subject.length < 150, true)
  })
})

test.each([
  [
    'invitation',
    invitationMail({ ...LINK, tenantName: 'Acme', inviterName: 'Bo', role: 'admin' }),
    'accept-invitation',
  ],
  ['email_verification', verificationMail(LINK), 'verify-email'],
  ['password_reset', resetMail(LINK), 'reset'],
] as const)('%s: the token is in the fragment, which no server is sent', (kind, mail, page) => {
  equal(mail.kind, kind)
  equal(mail.token, LINK.token)
  equal(mail.text.includes(`https://id.example.com/${page}#token=spot_abc`), true)
  match(mail.html, /href="https:\/\/id\.example\.com\/[a-z-]+#token=spot_abc"/)
})

test('mails without a link to use carry no token', () => {
  const mails = [
    knownAddressMail(LINK),
    passwordChangedMail({ to: LINK.to, ipAddress: null }),
    reuseMail({ to: LINK.to, name: 'Ada', at: new Date(0), ipAddress: null, userAgent: null }),
  ]
  for (const mail of mails) equal('token' in mail, false)
})
