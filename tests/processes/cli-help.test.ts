import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const cli = new URL('../../packages/server/dist/cli.js', import.meta.url).pathname

test('help loads neither the engine nor any command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-help-'))
  try {
    // Coverage names every script that Node loaded.
    execFileSync(process.execPath, [cli, '--help'], { env: { ...process.env, NODE_V8_COVERAGE: folder } })
    const [file = ''] = readdirSync(folder)
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }
    const ours = result.map(({ url }) => url).filter((url) => url.includes('/dist/') && !url.includes('/node_modules/'))
    expect(ours.map((url) => url.replace(/^.*\/dist\//, '')).toSorted()).toEqual([
      'cli.js',
      'cli/exit.js',
      'cli/program.js',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
