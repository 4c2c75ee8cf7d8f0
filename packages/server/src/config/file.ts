/**
 * Finds and reads the configuration file.
 *
 * @module
 */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Problem } from './problems.ts'

/** A configuration file as it was read. */
export interface ConfigurationFile {
  /** As problems name it; undefined where there is no file. */
  readonly name: string | undefined
  readonly content: Readonly<Record<string, unknown>>
  readonly problems: readonly Problem[]
}

const NAMES = ['sallyport.config.json', 'sallyport.config.mjs']

/**
 * Reads `sallyport.config.json`, or `sallyport.config.mjs` with `export const config = { … }`, from the working folder, or the
 * file that SALLYPORT_CONFIG names. TypeScript is not read: Node 20 cannot, and a compiler has no place in a service's start.
 */
export async function readConfigurationFile(cwd: string, named: string | undefined): Promise<ConfigurationFile> {
  if (existsSync(join(cwd, 'sallyport.config.ts'))) {
    return refused(
      'sallyport.config.ts',
      'is not read: use sallyport.config.json, or compile it to sallyport.config.mjs',
    )
  }
  const found = named === undefined ? NAMES.filter((name) => existsSync(join(cwd, name))) : [named]
  const [name, second] = found
  if (name === undefined) return { name: undefined, content: {}, problems: [] }
  if (second !== undefined) return refused(second, `stands beside ${name}: keep one of them`)
  const path = resolve(cwd, name)
  let content: unknown
  try {
    content = /\.[mc]?js$/.test(path)
      ? ((await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>)['config']
      : JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    // The parser's own message may repeat a part of the file, and with it a secret.
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return refused(name, missing ? 'does not exist' : 'cannot be read: it must be valid JSON, or a module that loads')
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return refused(name, 'must hold an object (a module: `export const config = { … }`)')
  }
  return { name: basename(name), content: content as Readonly<Record<string, unknown>>, problems: [] }
}

function refused(name: string, rule: string): ConfigurationFile {
  return { name, content: {}, problems: [{ where: name, rule }] }
}
