/**
 * `npm test`: every check that needs no running code, two at a time after the build, then the tests. Each step runs whatever became
 * of the one before, so that one run shows all there is to mend.
 *
 *   npm test                      everything
 *   npm test -- --static          the checks alone (npm run check)
 *   npm test -- lint knip         the steps named
 *   npm test -- tests src/audit   the tests whose path holds what follows
 *
 * The last line is the count of the tests. The exit code is 0 only where every step passed.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkBoundaries } from './check-boundaries.ts'
import { checkClientSize } from './check-client-size.ts'
import { checkDocs } from './check-docs.ts'
import { checkExports } from './check-exports.ts'
import { checkPackages } from './check-packages.ts'
import { checkSnippets } from './check-snippets.ts'
import { checkLock } from './complete-lock.ts'
import type { Counts } from './count-reporter.ts'
import { checkClientTypes } from './generate-client.ts'
import type { Problem } from './repository.ts'

interface Step {
  readonly name: string
  readonly title: string
  /** Resolves to what went wrong, for a person to read; to nothing where all is well. */
  readonly run: () => Promise<string>
}

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')
const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
}

const STATIC_STEPS: readonly Step[] = [
  { name: 'build', title: 'build', run: command('npm', 'run', '--silent', 'build') },
  // The longest of them, so it begins with them.
  { name: 'packages', title: 'packed packages', run: check(checkPackages) },
  { name: 'types', title: 'types of the tests and tools', run: command('tsc', '-p', 'tsconfig.check.json') },
  {
    name: 'faces',
    title: 'types of the React package and the console',
    run: command('tsc', '-p', 'tsconfig.check-faces.json'),
  },
  { name: 'lint', title: 'lint', run: command('oxlint', '--deny-warnings') },
  { name: 'format', title: 'format', run: command('biome', 'check', '--colors=off', '--error-on-warnings', '.') },
  { name: 'knip', title: 'unused code and dependencies', run: command('knip', '--no-progress') },
  { name: 'boundaries', title: 'imports point one way', run: check(checkBoundaries) },
  { name: 'exports', title: 'public surface', run: check(checkExports) },
  { name: 'docs', title: 'documentation', run: check(checkDocs) },
  { name: 'snippets', title: 'examples of the documentation', run: check(checkSnippets) },
  { name: 'client', title: 'the client knows the API as it is', run: check(checkClientTypes) },
  { name: 'size', title: 'what the client costs a page', run: check(checkClientSize) },
  { name: 'lock', title: 'lock file', run: check(checkLock) },
]

function command(program: string, ...args: string[]): Step['run'] {
  return async () => {
    const { code, output } = await execute(program, args, 'collected')
    return code === 0 ? '' : output.trim() || `${program} exited with ${code}`
  }
}

function check(find: (root: string) => Promise<Problem[]>): Step['run'] {
  return async () => {
    const problems = await find(root)
    return problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n')
  }
}

async function runStaticSteps(steps: readonly Step[]): Promise<string[]> {
  const failed: string[] = []
  const report = async ({ name, title, run }: Step): Promise<void> => {
    const started = performance.now()
    const complaint = await run().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${complaint === '' ? 'ok    ' : 'FAILED'} ${seconds.padStart(5)} s  ${name}: ${title}`)
    if (complaint === '') return
    console.log(complaint.replace(/^/gm, '  '))
    failed.push(name)
  }
  // The others look at what is built.
  const [build, others] = [steps.filter(({ name }) => name === 'build'), steps.filter(({ name }) => name !== 'build')]
  for (const step of build) await report(step)
  // Each takes from the same list, so that a core is not idle while another step reads its files.
  const lane = async (): Promise<void> => {
    for (let step = others.shift(); step !== undefined; step = others.shift()) await report(step)
  }
  await Promise.all([lane(), lane()])
  return failed
}

async function runTests(filters: readonly string[]): Promise<{ counts: Counts; succeeded: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-test-'))
  try {
    const file = join(folder, 'counts.json')
    const { code } = await execute('vitest', ['run', ...filters], 'shown', { SALLYPORT_TEST_COUNTS: file })
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) return { counts: JSON.parse(text) as Counts, succeeded: code === 0 }
    console.log(`vitest ended with ${code} before it had run the tests`)
    return { counts: { passed: 0, failed: 1, skipped: 0 }, succeeded: false }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function execute(
  program: string,
  args: readonly string[],
  output: 'collected' | 'shown',
  variables: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...environment, ...variables },
      stdio: output === 'shown' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let text = ''
    const collect = (chunk: Buffer): void => {
      text += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output: text }))
  })
}

async function main(args: readonly string[]): Promise<number> {
  const names = new Set(STATIC_STEPS.map((step) => step.name))
  const testsAt = args.indexOf('tests')
  const wanted = args.slice(0, testsAt === -1 ? undefined : testsAt)
  const unknown = wanted.filter((name) => name !== '--static' && !names.has(name))
  if (unknown.length > 0) {
    console.error(`no such step: ${unknown.join(', ')} (there are: ${[...names].join(', ')}, tests)`)
    return 2
  }

  const all = args.length === 0
  const steps = STATIC_STEPS.filter(({ name }) => all || wanted.includes('--static') || wanted.includes(name))
  const failed = await runStaticSteps(steps)
  const tests = all || testsAt !== -1 ? await runTests(args.slice(testsAt + 1)) : undefined

  if (failed.length > 0) console.log(`checks that failed: ${failed.join(', ')}`)
  if (tests !== undefined) {
    const { passed, failed: failures, skipped } = tests.counts
    console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  }
  return failed.length === 0 && tests?.succeeded !== false ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
