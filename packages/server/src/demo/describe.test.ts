import { expect, test } from 'vitest'
import { demoLines } from './describe.ts'

test('the lines say whom to sign in as, with codes that are good now', () => {
  const people = [
    {
      role: 'owner',
      name: 'O',
      email: 'o@demo.example',
      password: 'secret-o',
      totpSecret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    },
    { role: 'member', name: 'M', email: 'm@demo.example', password: 'secret-m' },
    { role: 'member', name: 'N', email: 'n@demo.example', password: 'secret-n' },
  ] as const
  const lines = demoLines(
    { tenant: 'Demo', tenantId: 't', people, changed: [] },
    'http://localhost:8080',
    new Date(59_000),
  )
  const text = lines.join('\n')
  for (const part of [
    'o@demo.example',
    'secret-o',
    'code 287082',
    'TOTP GEZDG',
    'secret-m',
    'no second factor',
    ' 1 s more',
  ]) {
    expect(text).toContain(part)
  }
  expect(text).not.toContain('secret-n')
})
