/**
 * What the pages about React show compiles: each block is a module of its own, as a reader would paste it.
 *
 * @module
 */

import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Problem } from './repository.ts'
import { lineAt } from './repository.ts'

const PAGES = ['docs/react.md', 'packages/react/README.md']
/** Inside of the repository, so that packages are found as from anywhere in it. */
const FOLDER = 'node_modules/.cache/sallyport/snippets'

const CONFIG = {
  extends: '../../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    lib: ['es2023', 'es2024.string', 'dom', 'dom.iterable'],
    types: [],
  },
  include: ['*.tsx', '*.d.ts'],
}

/** Run after a build. */
export async function checkSnippets(root: string): Promise<Problem[]> {
  const folder = join(root, FOLDER)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const blocks = new Map<string, { readonly file: string; readonly line: number }>()
  for (const file of PAGES) {
    const text = await readFile(join(root, file), 'utf8')
    for (const match of text.matchAll(/^```tsx\n(.*?)^```$/gms)) {
      const name = `snippet${blocks.size}.tsx`
      blocks.set(name, { file, line: lineAt(text, match.index) })
      await writeFile(join(folder, name), match[1] ?? '')
    }
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
  await writeFile(join(folder, 'styles.d.ts'), "declare module '*.css'\n")
  const { stdout } = await promisify(execFile)(
    join(root, 'node_modules/.bin/tsc'),
    ['-p', folder, '--pretty', 'false'],
    {
      cwd: folder,
    },
  ).catch((error: { stdout?: string; message: string }) => ({ stdout: error.stdout ?? error.message }))
  return Array.from(
    stdout.matchAll(/^(snippet\d+\.tsx)\((\d+),\d+\): (.*)$/gm),
    ([, name = '', line, message = '']) => {
      const block = blocks.get(name)
      return { file: block?.file ?? name, line: (block?.line ?? 0) + Number(line), message }
    },
  )
}
