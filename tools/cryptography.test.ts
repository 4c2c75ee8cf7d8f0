import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { isTest, listFiles } from './repository.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = 'docs/cryptography.md'
const USES =
  /from 'node:crypto'|@node-rs\/argon2|crypto\.subtle|\{ subtle \}|globalThis\.crypto|\bcrypto\.(?:getRandomValues|randomUUID)/
/** What a call can name, in the spelling of any of the three libraries. */
const ALGORITHMS =
  /'(md\d|sha-?\d+(?:-\d+)?|aes-[\w-]+|(?:3?des|des-[\w-]+|rc4|bf-[\w-]+|chacha20[\w-]*)|rsa[\w-]*|ec|ed25519|ed448|x25519|P-\d+|ECDSA|EdDSA|HS\d+|RS\d+|PS\d+|ES\d+)'/gi
const ALLOWED = new Set(['sha256', 'sha-256', 'aes-256-gcm', 'ec', 'p-256', 'ecdsa', 'ed25519', 'eddsa', 'es256'])
/** RFC 6238 says so, and so do authenticators. */
const SHA1 = ['packages/sallyport/src/step-up/factors/totp.ts', 'packages/server/src/demo/totp.ts']

let sources: ReadonlyMap<string, string>
beforeAll(async () => {
  const files = (
    await Promise.all(['packages', 'apps'].map((folder) => listFiles(ROOT, folder, ['.ts', '.tsx'])))
  ).flat()
  const own = files.filter(
    (file) => file.includes('/src/') && !isTest(file) && !/\/(?:testing|conformance)\//.test(file),
  )
  sources = new Map(
    await Promise.all(own.map(async (file) => [file, await readFile(join(ROOT, file), 'utf8')] as const)),
  )
})

test('every file that uses cryptography is in the inventory, and every file in it uses some', async () => {
  const page = await readFile(join(ROOT, PAGE), 'utf8')
  const named = new Set(Array.from(page.matchAll(/`((?:packages|apps)\/[^`]+\.tsx?)`/g), ([, file]) => file as string))
  const using = [...sources].flatMap(([file, source]) => (USES.test(source) ? [file] : []))
  expect(using.filter((file) => !named.has(file))).toEqual([])
  expect([...named].filter((file) => !using.includes(file))).toEqual([])
})

test('no algorithm is called but those of the inventory', () => {
  for (const [file, source] of sources) {
    if (!USES.test(source)) continue
    const called = Array.from(source.matchAll(ALGORITHMS), ([, name]) => name?.toLowerCase() as string)
    const strange = called.filter((name) => !ALLOWED.has(name) && !(name === 'sha1' && SHA1.includes(file)))
    expect([file, strange]).toEqual([file, []])
  }
})

test('nothing is drawn from a generator that can be foretold', () => {
  expect([...sources].flatMap(([file, source]) => (/Math\s*\.\s*random/.test(source) ? [file] : []))).toEqual([])
})
