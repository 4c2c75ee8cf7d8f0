/**
 * `npm start`: builds what changed, then runs the service with the demo tenant. Plain JavaScript, because it runs
 * before anything is built.
 *
 * Stopping npm never leaves a service behind that holds the port and the data folder: signals are passed on, and so is
 * the end of the shell in between, since npm signals that shell alone.
 */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = fileURLToPath(new URL('../packages/server/dist/cli.js', import.meta.url))

const build = spawnSync('npm run --silent build', { cwd: root, stdio: 'inherit', shell: true })
if (build.status !== 0) process.exit(build.status ?? 1)

const service = spawn(process.execPath, [cli, 'serve', '--demo', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
service.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1)))

let stopping = false
function stop(signal) {
  if (stopping) return
  stopping = true
  service.kill(signal)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal))
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) stop('SIGTERM')
}, 500).unref()
