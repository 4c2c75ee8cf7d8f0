import { equal, throws } from 'node:assert/strict'
import { describe, test } from 'vitest'
import { acceptPassword, passwordFault } from './password-policy.ts'

const ADA = { email: 'ada.lovelace@engines.example', name: 'Ada Lovelace', words: ['Analytical Engines'] }
const fault = (password: string) => passwordFault(password, ADA)

describe('length is counted in characters as people see them', () => {
  test('15 pass and 14 do not', () => {
    equal(fault('otter velvet h'), 'too_short')
    equal(fault('otter velvet he'), undefined)
  })
  test('where each sign-in asks for a second factor 8 pass and 7 do not, and what is common is none the better', () => {
    const beside = (password: string) => passwordFault(password, { ...ADA, besideFactor: true })
    equal(beside('xk29vq8'), 'too_short')
    equal(beside('xk29vq8p'), undefined)
    for (const common of ['password', 'qwertyui', '12345678', 'iloveyou', 'football', 'passw0rd', 'lovelace']) {
      equal(beside(common), 'common', common)
    }
  })
  test('only `mfa.atSignIn: "always"` is such a place', () => {
    const accept = (mfaAtSignIn: 'enrolled' | 'risk' | 'always') =>
      acceptPassword({ mfaAtSignIn }, 'xk29vq8p', ADA, 'password')
    accept('always')
    for (const mode of ['enrolled', 'risk'] as const) {
      throws(() => accept(mode), { code: 'PASSWORD_REJECTED', message: /15/ })
    }
  })
  test('an emoji counts once, and a composed letter as its one form', () => {
    equal(fault('🦦velvet🦆whistl'), 'too_short')
    equal(fault('🦦velvet🦆whistle'), undefined)
    equal(fault('cafe\u0301 velvet ot'), 'too_short')
  })
  test('128 pass and 129 do not', () => {
    const long = Array.from(
      { length: 43 },
      (_, index) => `${String.fromCodePoint(0x4e00 + index * 7)}z${index % 10}`,
    ).join('')
    equal([...long].length, 129)
    equal(fault(long), 'too_long')
    equal(fault([...long].slice(0, 128).join('')), undefined)
  })
})

test.each([
  'correct horse battery staple',
  'seven purple otters juggle',
  'пять зелёных выдр танцуют',
  'only lower case letters here',
  'kJ8$wq!Zr2#mVx7p',
  '            otter  velvet  heron',
])('no composition is asked for: %s', (password) => {
  equal(fault(password), undefined)
})

test.each([
  'passwordpassword',
  'Password12345678',
  'P@ssw0rd!P@ssw0rd!',
  'password2024password',
  'password-2024-password',
  '123456789012345',
  '987654321987654321',
  '111111111111111',
  'aaaaaaaaaaaaaaaaaaaa',
  'abababababababab',
  'abcdefghijklmnop',
  'qwertyuiopasdfgh',
  'poiuytrewqlkjhgf',
  '1q2w3e4r5t6y7u8i',
  '1qaz2wsx3edc4rfv',
  'qwerty1234567890',
  'azertyuiopqsdfgh',
  'letmeinletmein123',
  'thisismypassword',
  'iloveyouiloveyou',
  'welcome123456789',
  'administrator2024!',
  'changemechangeme',
  'xkqjxkqjxkqjxkqj',
  '!@#$%^&*()_+!@#$',
  'Summer2024Summer2024',
  '31121999password',
])('what is put together from common pieces is refused: %s', (password) => {
  equal(fault(password), 'common')
})

test.each(['lovelaceanalytical7', 'AdaLovelace123456', 'engines engines 2024'])(
  'words of the context are pieces too: %s',
  (password) => {
    equal(['common', 'contains_name'].includes(String(fault(password))), true)
  },
)

test('the address and the name must not be in it, in whatever case', () => {
  equal(fault('ADA.Lovelace@Engines.Example zyx'), 'contains_email')
  equal(fault('velvet ada lovelace herons'), 'contains_name')
})

test('a short name inside of another word is an accident', () => {
  equal(passwordFault('canada velvet herons', { email: 'a@b.example', name: 'Ada' }), undefined)
})

test('half a character is refused: all of them would hash alike', () => {
  equal(fault('seven purple otters \ud800'), 'malformed')
})

test('the longest that is let in is judged in a fraction of the time that its hash takes', () => {
  const started = performance.now()
  fault('q7'.repeat(12) + 'aZ3§'.repeat(26))
  equal(performance.now() - started < 250, true)
})

test('a refusal names the field and the reason, and not the password', () => {
  throws(
    () => acceptPassword({ mfaAtSignIn: 'enrolled' }, 'passwordpassword', ADA, 'newPassword'),
    (error: { code: string; facts: unknown; message: string }) => {
      equal(error.code, 'PASSWORD_REJECTED')
      equal(JSON.stringify(error.facts), '{"field":"newPassword","reason":"common"}')
      equal(error.message.includes('passwordpassword'), false)
      return true
    },
  )
})
