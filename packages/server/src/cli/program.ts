/**
 * The commands, their options and their help.
 *
 * @module
 */

import { Command } from 'commander'
import type { EvidenceCommand } from './evidence.ts'
import { EXIT } from './exit.ts'
import type { GlobalOptions } from './report.ts'

/** Builds the command line. Each command loads its module when it runs: help and small commands start without the rest. */
export function createProgram(): Command {
  const program = new Command('sallyport')
    .description('Session security as a service: sessions, refresh tokens, step-up and an audit log.')
    .option('--json', 'write for machines: one JSON document, errors included')
    .option('--verbose', 'show stacks of errors, and log more')
    .showHelpAfterError('(sallyport --help tells what there is)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.misconfigured))
    .addHelpText(
      'after',
      `
Configuration comes from sallyport.config.json (or .mjs) in this folder and from environment variables, which win:
  DATABASE_URL        PostgreSQL; without it an embedded database in SALLYPORT_DATA_DIR (.sallyport)
  SALLYPORT_ISSUER    the address that users reach the service at
  SALLYPORT_SECRETS   server secrets, newest first, separated by commas
  PORT, HOST          where to listen (8080, 127.0.0.1)
All of them are in docs/configuration.md.

Exit codes: 0 done, 1 failed, 2 arguments or configuration, 3 the database is away.`,
    )
  const options = (): GlobalOptions => program.opts()

  program
    .command('serve', { isDefault: true })
    .description('run the service (the default)')
    .option('--demo', 'also seed a demo tenant and print its credentials')
    .allowExcessArguments()
    .action(async (own: { demo?: boolean }, command: Command) => {
      // What is no command ends up with the default one.
      const [unknown] = command.args
      if (unknown !== undefined) program.error(`error: there is no command '${unknown}'`)
      await (await import('./serve.ts')).serve({ ...options(), demo: own.demo ?? false })
    })
  program
    .command('migrate')
    .description('bring the database up to date, and say what was run')
    .action(async () => (await import('./migrate.ts')).migrate(options()))
  program
    .command('demo')
    .description('seed a demo tenant (owner, admin, member) and print its credentials; the same ones each time')
    .action(async () => (await import('./demo.ts')).demo(options()))
  program
    .command('doctor')
    .description(
      'check configuration, database, clock and migrations, and say what to mend; exits with 1 when something is',
    )
    .action(async () => {
      process.exitCode = await (await import('./doctor.ts')).doctor(options())
    })
  const keys = program.command('keys').description('the keys that sign access tokens')
  keys
    .command('list')
    .description('all keys with their state: next, active, retired, revoked')
    .action(async () => (await import('./keys.ts')).keysList(options()))
  keys
    .command('rotate')
    .description('let the next key sign from now on; the one before still verifies what it signed')
    .option('--now', 'even if the next key was published less than ten minutes ago')
    .action(async (own: { now?: boolean }) =>
      (await import('./keys.ts')).keysRotate({ ...options(), now: own.now ?? false }),
    )
  keys
    .command('revoke')
    .argument('<kid>', 'the id of the key, as `keys list` shows it')
    // One id in 64 begins with a dash: it is no option.
    .allowUnknownOption()
    .description('end a compromised key on every node: what it signed is refused at once')
    .action(async (kid: string) => (await import('./keys.ts')).keysRevoke(kid, options()))
  const risk = program.command('risk').description('the scores of sign-ins and refreshes')
  risk
    .command('replay')
    .description('score recorded sign-ins and refreshes again, and say whom the policy would have asked or stopped')
    .requiredOption('--from <moment>', 'the first moment, such as 2026-01-31 or 2026-01-31T12:00:00Z')
    .requiredOption('--to <moment>', 'the moment after the last')
    .option('--policy <file>', 'JSON of weights, stepUpAt, blockAt, thresholds; without it the policy of the service')
    .action(async (own: { from: string; to: string; policy?: string }) =>
      (await import('./risk.ts')).riskReplay({ ...options(), ...own }),
    )
  program
    .command('evidence')
    .requiredOption('--tenant <id>', 'whose evidence')
    .option('--from <instant>', 'the first instant in it; defaults to 400 days before the end')
    .option('--to <instant>', 'the first instant that is not in it; defaults to now')
    .option('--out <file>', 'where to write it; defaults to a name made of tenant and period, in this folder')
    .option('--omit-devices', 'leave fingerprints of devices out')
    .description('write the evidence bundle of a period: one ZIP that an auditor checks offline')
    .action(async (own: EvidenceCommand) => (await import('./evidence.ts')).evidence({ ...options(), ...own }))
  program
    .command('verify')
    .argument('<bundle>', 'the ZIP')
    .option('--key <vkey>', 'the published key of the log, as `audit key` shows it')
    .description(
      'check an evidence bundle offline, and name the first thing that is wrong; exits with 1 when something is',
    )
    .action(async (bundle: string, own: { key?: string }) => {
      process.exitCode = await (await import('./evidence.ts')).verify(bundle, { ...options(), ...own })
    })
  const jobs = program.command('jobs').description('work that is done now and then, such as the cleanup')
  jobs
    .command('run')
    .argument('<name>', 'the job, as `jobs list` shows it')
    .description('run a job now, with progress; exits with 1 when it fails or runs elsewhere')
    .action(async (name: string) => (await import('./jobs.ts')).jobsRun(name, options()))
  jobs
    .command('list')
    .description('the jobs there are, and their latest runs')
    .action(async () => (await import('./jobs.ts')).jobsList(options()))
  const audit = program.command('audit').description('the tamper-evident audit log')
  audit
    .command('verify')
    .description(
      'recompute every log from the database, and name the first row that was altered, deleted, inserted or moved',
    )
    .option('--tenant <id>', "one tenant's log alone; the nil UUID is the service's own")
    .option(
      '--checkpoint <file...>',
      'checkpoints kept outside of the database: signed notes, or the file of a witness',
    )
    .option('--key <vkey>', 'the key that checkpoints must be signed with; without it, the one in the database')
    .action(async (own: { tenant?: string; checkpoint?: string[]; key?: string }) => {
      process.exitCode = await (await import('./audit.ts')).auditVerify({ ...options(), ...own })
    })
  audit
    .command('checkpoint')
    .argument('[tenant]', "the tenant; without one, the service's own log")
    .description('seal what waits, sign it, and write the signed note: keep it outside of the database')
    .action(async (tenant: string | undefined) => (await import('./audit.ts')).auditCheckpoint(tenant, options()))
  audit
    .command('key')
    .argument('[tenant]', "the tenant; without one, the service's own log")
    .description('the public key of a log, for auditors to pin')
    .action(async (tenant: string | undefined) => (await import('./audit.ts')).auditKey(tenant, options()))
  audit
    .command('rotate-key')
    .argument('<log>', 'the tenant, or the nil UUID')
    .requiredOption('--reason <text>', 'why: it is kept in the log')
    .description('give a log a new key, and write the checkpoint that the old and the new one have signed')
    .action(async (log: string, own: { reason: string }) =>
      (await import('./audit.ts')).auditRotateKey(log, { ...options(), ...own }),
    )
  audit
    .command('reanchor')
    .argument('<log>', 'the tenant, or the nil UUID')
    .requiredOption('--reason <text>', 'why: it is kept in the log')
    .description('after a restore from a backup: start a new line of checkpoints, under a new key')
    .action(async (log: string, own: { reason: string }) =>
      (await import('./audit.ts')).auditReanchor(log, { ...options(), ...own }),
    )
  program
    .command('ip-rules')
    .description('from where tenants may be reached')
    .command('clear')
    .requiredOption('--tenant <tenant>', 'the id or the slug of the tenant')
    .description('remove every IP rule of a tenant that locked itself out; it is recorded in its audit log')
    .action(async (own: { tenant: string }) =>
      (await import('./ip-rules.ts')).ipRulesClear({ ...options(), tenant: own.tenant }),
    )
  return program
}
