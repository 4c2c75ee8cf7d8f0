import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-lock-'))
  file = join(folder, 'sallyport.lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process that takes the lock, says so, and waits. */
function taker(): ReturnType<typeof spawn> {
  const source = `
    import { lockFolder } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)}
    try { await lockFolder(${JSON.stringify(file)}); console.log('held') } catch (error) { console.log(error.code); process.exit() }
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function said(child: ReturnType<typeof spawn>): Promise<string> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return chunk.toString().trim()
}

/** A lock file as a process leaves it that was killed. */
function abandon(changes: Readonly<Record<string, unknown>> = {}): void {
  const owner = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...owner, nonce: 'd'.repeat(32), pid: 2 ** 22 + 1, ...changes }))
}

async function leaveDeadOwner(changes?: Readonly<Record<string, unknown>>): Promise<void> {
  const lock = await lockFolder(file)
  abandon(changes)
  lock.release()
  expect(existsSync(file)).toBe(true)
}

test('a living owner keeps everybody else out, and is named', async () => {
  const child = taker()
  try {
    expect(await said(child)).toBe('held')
    await expect(lockFolder(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID', facts: { pid: child.pid } })
  } finally {
    child.kill('SIGKILL')
  }
})

test('the folder is free at once when its owner was killed', async () => {
  const child = taker()
  expect(await said(child)).toBe('held')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const started = performance.now()
  const lock = await lockFolder(file)
  expect(performance.now() - started).toBeLessThan(500)
  lock.release()
  expect(readdirSync(folder)).toEqual([])
})

test('a process of the same number as a dead owner is not taken for it', async () => {
  await leaveDeadOwner({ pid: process.pid, started: '1' })
  const lock = await lockFolder(file)
  lock.release()
})

test('of many takers of a dead owner’s folder exactly one wins', async () => {
  for (let round = 0; round < 20; round++) {
    await leaveDeadOwner()
    const takers = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(file)))
    const won = takers.filter((taker) => taker.status === 'fulfilled')
    expect(won).toHaveLength(1)
    won[0]?.value.release()
    expect(readdirSync(folder)).toEqual([])
  }
})

test('of several processes that take a dead owner’s folder exactly one wins', async () => {
  await leaveDeadOwner()
  const children = Array.from({ length: 4 }, taker)
  try {
    const answers = await Promise.all(children.map(said))
    expect(answers.sort()).toEqual(['CONFIG_INVALID', 'CONFIG_INVALID', 'CONFIG_INVALID', 'held'])
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
})

test('a taker that died half-way keeps nobody out', async () => {
  await leaveDeadOwner()
  const owner = JSON.parse(readFileSync(file, 'utf8')) as { nonce: string }
  writeFileSync(`${file}.${owner.nonce}`, JSON.stringify({ ...owner, nonce: 'e'.repeat(32) }))
  const lock = await lockFolder(file)
  lock.release()
  expect(readdirSync(folder)).toEqual([])
})

test('a taker that is at work keeps the others out', async () => {
  await leaveDeadOwner()
  const owner = JSON.parse(readFileSync(file, 'utf8')) as { nonce: string }
  const claim = await lockFolder(`${file}.${owner.nonce}`)
  await expect(lockFolder(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  claim.release()
})

test('an owner in another container lives as long as it beats', async () => {
  const elsewhere = { scope: 'another', pid: 1 }
  const lock = await lockFolder(file)
  abandon(elsewhere)
  await expect(lockFolder(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  lock.release()
})

test('an owner from before a restart of the machine is dead', async () => {
  await leaveDeadOwner({ pid: 1, boot: 'before' })
  const lock = await lockFolder(file)
  lock.release()
})

test('release gives free what is one’s own, and nothing else', async () => {
  const lock = await lockFolder(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  lock.release()
  expect(existsSync(file)).toBe(false)
  const next = await lockFolder(file)
  lock.release()
  expect(existsSync(file)).toBe(true)
  next.release()
})

test('what is no lock file is neither trusted nor removed', async () => {
  writeFileSync(file, 'hello')
  await expect(lockFolder(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(readFileSync(file, 'utf8')).toBe('hello')
})
