import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkDocs } from './check-docs.ts'
import { plant } from './support/planted.ts'

const INDEX = 'packages/sallyport/src/index.ts'

async function found(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await plant(files)
  return (await checkDocs(root)).map(({ file, line, message }) => `${file}:${line}: ${message}`)
}

test('links that lead somewhere pass: to a file, a folder, a heading, another site', async () => {
  const page = [
    '# The `one` thing, and more',
    '[a](docs/a.md) [b](docs) [c](#the-one-thing-and-more) [d](docs/a.md#a-b) [e](https://example.com/x)',
    '[ref]: docs/a.md',
  ].join('\n')
  expect(await found({ 'README.md': page, 'docs/a.md': '## A: b\n[up](../README.md)' })).toEqual([])
})

test('links to a missing file, a missing heading and from a reference are found', async () => {
  const page = '# One\n\n[a](docs/gone.md)\n[b](#two)\n[ref]: gone.md\n'
  expect(await found({ 'README.md': page })).toEqual([
    'README.md:3: links to docs/gone.md, which does not exist',
    'README.md:4: links to #two: no such heading',
    'README.md:5: links to gone.md, which does not exist',
  ])
})

test('what stands in code is no link', async () => {
  expect(await found({ 'README.md': '`[a](gone.md)`\n\n```md\n[a](gone.md)\n```\n' })).toEqual([])
})

test.each([
  ['a home folder', join(homedir(), 'notes.md')],
  ['a home folder of others', '/home/ana/project/'],
  ['a package registry', 'https://registry.example.org/sallyport'],
])('a page that names %s is found', async (_, name) => {
  const problems = await found({ 'docs/a.md': `one\nsee ${name}\n` })
  expect(problems.length).toBeGreaterThan(0)
  expect(problems[0]).toContain('docs/a.md:2: names')
})

test('a lock file that names where packages were downloaded from is found', async () => {
  const lock = '{\n  "resolved": "https://example.org/a.tgz"\n}'
  expect(await found({ 'package-lock.json': lock })).toEqual([expect.stringContaining('package-lock.json:2: names')])
})

test('what is public has a doc comment, also behind a second re-export and under another name', async () => {
  expect(
    await found({
      [INDEX]: "export { a } from './a.ts'\nexport type {\n  // The shape.\n  B,\n  D as E,\n} from './b.ts'\n",
      'packages/sallyport/src/a.ts': '/** Does a. */\nexport async function a() {}\n',
      'packages/sallyport/src/b.ts':
        "export type { B } from './c.ts'\n/** The shape of d. */\nexport interface D {\n  d: 1\n}\n",
      'packages/sallyport/src/c.ts': '/** The shape of b. */\nexport type B = 1\n',
    }),
  ).toEqual([])
})

test('what is public and has none is found; the comment of its file does not count', async () => {
  expect(
    await found({
      [INDEX]: "export { a, b, c } from './a.ts'\n",
      'packages/sallyport/src/a.ts':
        '/**\n * The file.\n *\n * @module\n */\n\nexport const a = 1\nexport const b = 2\n',
    }),
  ).toEqual([
    'packages/sallyport/src/a.ts:7: a is public and has no doc comment',
    'packages/sallyport/src/a.ts:8: b is public and has no doc comment',
    `${INDEX}:1: exports c, whose declaration was not found`,
  ])
})
