/**
 * What a user would install is packed and looked at: that its entries resolve, that its types do, and that it holds nothing that
 * only tests need.
 *
 * @module
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { filesOfTests, missingFrom } from './packed-files.ts'
import { listPublishedPackages, type Problem } from './repository.ts'

const run = promisify(execFile)

/** Run after a build. */
export async function checkPackages(root: string): Promise<Problem[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pack-'))
  try {
    const problems: Problem[] = []
    for (const { folder: packageFolder, manifest } of await listPublishedPackages(root)) {
      const at = { file: `${packageFolder}/package.json`, line: 1 }
      const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
        cwd: join(root, packageFolder),
      })
      const packed = packedOf(JSON.parse(stdout))
      const tarball = join(folder, packed.filename)
      problems.push(...(await problemsOfFiles(root, packageFolder, packed)))

      const content = await readFile(tarball)
      const buffer = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength)
      const { messages } = await publint({ pack: { tarball: buffer } })
      for (const message of messages) {
        const text = formatMessage(message, manifest, { color: false }) ?? message.code
        problems.push({ ...at, message: `publint: ${text}` })
      }

      // A package that is only a command has no types to resolve.
      if (!Object.keys(manifest.exports ?? {}).some((name) => !name.endsWith('.json'))) continue
      const attw = [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji']
      // A style sheet has none either.
      const styles = Object.keys(manifest.exports ?? {}).filter((name) => name.endsWith('.css'))
      if (styles.length > 0) attw.push('--exclude-entrypoints', ...styles)
      await run(join(root, 'node_modules/.bin/attw'), attw).catch((error: { stdout?: string; message: string }) => {
        problems.push({ ...at, message: `attw: ${error.stdout?.trim() ?? error.message}` })
      })
    }
    return problems
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

async function problemsOfFiles(root: string, packageFolder: string, { files }: Packed): Promise<Problem[]> {
  const shipped = files.map(({ path }) => path)
  const problems = filesOfTests(shipped).map((path) => ({
    file: `${packageFolder}/${path}`,
    line: 1,
    message: 'is shipped, and only tests need it',
  }))
  const all = new Set(shipped)
  for (const path of shipped.filter((one) => one.endsWith('.js'))) {
    const source = await readFile(join(root, packageFolder, path), 'utf8')
    for (const missing of missingFrom(all, path, source)) {
      problems.push({ file: `${packageFolder}/${path}`, line: 1, message: `imports ${missing}, which is not shipped` })
    }
  }
  return problems
}

/** npm 11 answers with a list, and with an object keyed by package name from version 12 on. */
function packedOf(answer: unknown): Packed {
  const [packed] = Object.values(answer as Readonly<Record<string, Packed>>)
  if (packed === undefined) throw new Error('npm pack: nothing was packed')
  return packed
}
