#!/usr/bin/env node
/**
 * The command `sallyport`.
 *
 * @module
 */

import { createProgram } from './cli/program.ts'
import { report } from './cli/report.ts'

const program = createProgram()
try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = report(error, program.opts())
}
