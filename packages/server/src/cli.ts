#!/usr/bin/env node
/**
 * The command `sallyport`.
 *
 * @module
 */

import { createProgram } from './cli/program.ts'

const program = createProgram()
try {
  await program.parseAsync(process.argv)
} catch (error) {
  const { report } = await import('./cli/report.ts')
  process.exitCode = report(error, program.opts())
}
