import { expect, test } from 'vitest'
import { checkExports } from './check-exports.ts'
import { plant } from './support/planted.ts'

const MANIFEST = 'packages/sallyport/package.json'
const INDEX = 'packages/sallyport/src/index.ts'

function manifest(fields: object): string {
  return JSON.stringify({ name: 'sallyport', exports: { './package.json': './package.json' }, ...fields })
}

async function found(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await plant({ [MANIFEST]: manifest({}), ...files })
  return (await checkExports(root)).map(({ file, line, message }) => `${file}:${line}: ${message}`)
}

test('a surface that is listed and built passes', async () => {
  const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } }
  expect(
    await found({
      [MANIFEST]: manifest({ exports, bin: { sallyport: './dist/cli.js' } }),
      [INDEX]: "/**\n * The public face.\n */\n\nexport { a } from './a.ts'\nexport type {\n  B,\n} from './b.ts'\n",
      'packages/sallyport/src/a.ts': 'export function a(): void {}\n',
      'packages/sallyport/dist/index.js': '',
      'packages/sallyport/dist/index.d.ts': '',
      'packages/sallyport/dist/cli.js': '',
    }),
  ).toEqual([])
})

test('an export and a command whose file is missing are found', async () => {
  const files = {
    [MANIFEST]: manifest({ exports: { './gone': './dist/gone.js' }, bin: { sallyport: './dist/cli.js' } }),
  }
  expect(await found(files)).toEqual([
    `${MANIFEST}:1: exports "./gone" as ./dist/gone.js, which does not exist`,
    `${MANIFEST}:1: exports "bin sallyport" as ./dist/cli.js, which does not exist`,
  ])
})

test('a wildcard and a package without "exports" are found', async () => {
  expect(await found({ [MANIFEST]: manifest({ exports: { './*': './dist/*.js' } }) })).toHaveLength(1)
  expect(await found({ [MANIFEST]: '{ "name": "sallyport" }' })).toHaveLength(1)
})

test('a package that is not published is left alone', async () => {
  expect(await found({ 'packages/inner/package.json': '{ "name": "inner", "private": true }' })).toEqual([])
})

test.each(['export default class A {}', "export * from './a.ts'", "export { a as default } from './a.ts'"])(
  'no file may hold: %s',
  async (statement) => {
    const file = 'packages/sallyport/src/b.ts'
    expect(await found({ [file]: `\n${statement}\n` })).toEqual([expect.stringContaining(`${file}:2: `)])
  },
)

test.each(['export const a = 1', "import { a } from './a.ts'", 'export function a() {}'])(
  'index.ts may not hold: %s',
  async (statement) => {
    expect(await found({ [INDEX]: `\n${statement}\n` })).toEqual([expect.stringContaining(`${INDEX}:2: `)])
  },
)
