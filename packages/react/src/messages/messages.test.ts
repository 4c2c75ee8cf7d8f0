import { describe, expect, test } from 'vitest'
import { english } from './english.ts'
import { withOverrides, wordFor } from './messages.ts'

describe('texts of a host', () => {
  test('replace one text and leave the others', () => {
    const texts = withOverrides({ sessions: { title: 'Geräte' } })
    expect(texts.sessions.title).toBe('Geräte')
    expect(texts.sessions.revoke).toBe(english.sessions.revoke)
    expect(texts.stepUp).toEqual(english.stepUp)
  })

  test('replace one word of a table, add another, and leave the rest', () => {
    const { audit } = withOverrides({ audit: { actions: { AUTH_LOGIN: 'Anmelden', INVOICE_APPROVED: 'Rechnung' } } })
    expect(audit.actions).toMatchObject({
      AUTH_LOGIN: 'Anmelden',
      INVOICE_APPROVED: 'Rechnung',
      AUTH_LOGOUT: 'Sign out',
    })
    expect(english.audit.actions['AUTH_LOGIN']).toBe('Sign in')
  })

  test('replace what counts', () => {
    expect(withOverrides({ sessions: { othersRevoked: (count) => `${count} weg` } }).sessions.othersRevoked(3)).toBe(
      '3 weg',
    )
  })

  test('without any the English ones are used', () => {
    expect(withOverrides(undefined)).toBe(english)
  })
})

test('a code without a word is shown as people read it, whatever it is', () => {
  expect(wordFor({ A: 'Word' }, 'A')).toBe('Word')
  expect(wordFor({}, 'INVOICE_APPROVED')).toBe('Invoice approved')
  expect(wordFor({}, 'constructor')).toBe('Constructor')
})

test('no text is empty', () => {
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') expect(value.trim(), path).not.toBe('')
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${name}`)
    }
  }
  walk(english, 'english')
})
