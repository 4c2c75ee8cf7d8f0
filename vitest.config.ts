import { defineConfig } from 'vitest/config'
import { countReporter } from './tools/count-reporter.ts'
import { SlowestFirst } from './tools/slowest-first.ts'

// Workspace packages export their sources under this condition, so no build is needed to test across them.
const resolve = { conditions: ['source'] }
const ssr = { resolve: { conditions: ['source', 'module', 'node', 'development|production'] } }

/** A hash costs a tenth of a second: tests that are not about it would pay that hundreds of times. */
const QUICK_PASSWORDS = ['tests/support/mock-passwords.ts']
const RACES = ['tests/races/**/*.test.ts', 'tests/faults/**/*.test.ts']
/** These look at hashes as they are, or put something of their own in a module's place: each has a process of its own. */
const ALONE = [
  'packages/sallyport/src/directory/passwords.test.ts',
  'packages/sallyport/src/directory/sign-in.test.ts',
  'packages/sallyport/src/store/pglite/open.test.ts',
  'tests/timing/**/*.test.ts',
]

// Where `npm test` wants the counts of the run written.
const counts = process.env['SALLYPORT_TEST_COUNTS']

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    reporters: counts === undefined ? ['default'] : ['default', countReporter(counts)],
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ALONE,
          setupFiles: QUICK_PASSWORDS,
          // Files share a process and its modules: loading them anew took as long as the tests.
          isolate: false,
          testTimeout: 20_000,
          // An embedded database boots inside beforeAll.
          hookTimeout: 60_000,
          // These wait for nothing and nobody's clock: no core need be idle.
          maxWorkers: '100%',
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'components',
          include: ['packages/react/src/**/*.test.tsx'],
          environment: './tests/support/page-environment.ts',
          isolate: false,
          maxWorkers: '100%',
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'servers',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/e2e/**', ...RACES, ...ALONE],
          setupFiles: QUICK_PASSWORDS,
          isolate: false,
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // One waits for its server while the other works.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'races',
          include: RACES,
          setupFiles: QUICK_PASSWORDS,
          isolate: false,
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Several nodes under load, held to bounds of time: side by side they would starve each other on two cores.
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'browsers',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // One waits for its page while the other works.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'alone',
          include: ALONE,
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
