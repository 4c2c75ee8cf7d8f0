import { defineConfig } from 'vitest/config'
import { countReporter } from './tools/count-reporter.ts'

// Workspace packages export their sources under this condition, so no build is needed to test across them.
const resolve = { conditions: ['source'] }
const ssr = { resolve: { conditions: ['source', 'module', 'node', 'development|production'] } }

// Where `npm test` wants the counts of the run written.
const counts = process.env['SALLYPORT_TEST_COUNTS']

export default defineConfig({
  test: {
    reporters: counts === undefined ? ['default'] : ['default', countReporter(counts)],
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'apps/*/src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'],
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
          name: 'servers',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/e2e/**'],
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // These start servers and measure races: side by side they would starve each other on two cores.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
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
    ],
  },
})
