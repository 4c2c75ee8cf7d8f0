import { expect, test } from 'vitest'
import { createLogger, plain } from './logger.ts'

function recorded(work: (log: ReturnType<typeof createLogger>) => void): string {
  let text = ''
  work(createLogger({ level: 'debug', json: true, destination: { write: (line) => void (text += line) } }))
  return text
}

test('one record a line, in UTC with milliseconds, the level by name', () => {
  const record = JSON.parse(recorded((log) => log.info({ a: 1 }, 'hello'))) as Record<string, unknown>
  expect(record).toMatchObject({ level: 'info', a: 1, msg: 'hello' })
  expect(record['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('secrets are hidden wherever they stand, and stable codes are not', () => {
  const text = recorded((log) =>
    log.warn(
      {
        password: 'canary',
        code: 'TOKEN_EXPIRED',
        headers: { authorization: 'canary', cookie: 'canary' },
        a: { b: { refreshToken: 'canary' } },
      },
      'x',
    ),
  )
  expect(text).not.toContain('canary')
  expect(text).toContain('TOKEN_EXPIRED')
})

test('what a database library puts into its message stays out', () => {
  const error = new Error('Failed query: insert into users params: eve@example.com,canary')
  expect(recorded((log) => log.error({ err: error }, 'x'))).not.toMatch(/canary|eve@/)
})

test('text of a client is one line of plain characters', () => {
  expect(plain('/a\r\n\u001b[31mroot\u202e\u2028/b')).toBe('/a\\u000d\\u000a\\u001b[31mroot\\u202e\\u2028/b')
  expect(plain('x'.repeat(1000))).toHaveLength(513)
})
