import { expect, test } from 'vitest'
import { filesOfTests, missingFrom } from './packed-files.ts'

test.each([
  'dist/testing/test-engine.js',
  'src/store/postgres/testing/harness.ts',
  'src/fixtures/token.json',
  'dist/http/app.test.js',
  'src/face.test-d.ts',
  'src/Dialog.test.tsx',
  'tests/theft.js',
])('%s is for tests alone', (path) => {
  expect(filesOfTests([path, 'dist/index.js'])).toEqual([path])
})

test.each([
  'dist/testing.js',
  'src/store/conformance/tokens.ts',
  'dist/contest/index.js',
  'dist/latest.js',
  'migrations/0001_start.sql',
])('%s is shipped', (path) => {
  expect(filesOfTests([path])).toEqual([])
})

test('a module that is imported and not shipped is missing', () => {
  const source = "import { a } from './a.js'\nexport { b } from '../b/b.js'\nimport pg from 'pg'\n"
  expect(missingFrom(new Set(['dist/one/a.js', 'dist/b/b.js']), 'dist/one/index.js', source)).toEqual([])
  expect(missingFrom(new Set(['dist/one/a.js']), 'dist/one/index.js', source)).toEqual(['dist/b/b.js'])
})
