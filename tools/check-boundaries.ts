/**
 * Imports point one way: http and adapters, to the domain folders, to the store's contract and internal.
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { isTest, lineAt, listFiles, type Problem, readImports } from './repository.ts'

interface BoundaryRule {
  /** The files that the rule is for, by path from the repository's root. */
  readonly files: RegExp
  /** What they may not import: a file by its path from the root, or a package by its name. */
  readonly never: RegExp
  /** Exceptions from `never`. */
  readonly except?: RegExp
  /** Whether types may be imported all the same. */
  readonly typesMayPass?: true
  readonly because: string
}

const LIBRARY = 'packages/sallyport/src'
const path = (pattern: string): RegExp => new RegExp(`^${LIBRARY}/${pattern}`)

/** Tests are free to import what they need, and so is the folder of what they share. */
const RULES: readonly BoundaryRule[] = [
  {
    files: path('(?!http/|adapters/|store/)[^/]+/'),
    never: path('(http|adapters)/'),
    because: 'a domain folder is usable without HTTP',
  },
  {
    files: path('(?!store/)[^/]+/'),
    never: path('store/'),
    except: path('store/contract'),
    because: 'only the contract of a store is known outside of it',
  },
  {
    files: path('(?!store/)[^/]+/'),
    never: /^(pg|drizzle-orm|@electric-sql\/pglite)(\/|$)/,
    because: 'database libraries are used by stores alone',
  },
  {
    files: path('(?!http/|adapters/)[^/]+/'),
    never: /^hono(\/|$)/,
    because: 'HTTP is spoken in http/ and adapters/ alone',
  },
  {
    files: path('audit/verifying/'),
    never: /./,
    except: new RegExp(`^(node:crypto$|${LIBRARY}/audit/verifying/)`),
    because: 'whoever checks a log runs none of the code that keeps one: no database, no engine',
  },
  {
    files: /^(packages|apps)\//,
    never: /^(node:)?(child_process|vm|v8|cluster|inspector|repl)(\/|$)/,
    because: 'nothing that a request carries may come near a shell, an interpreter or a deserialiser',
  },
  {
    files: path('internal/'),
    never: path(''),
    except: path('(internal/|ids\\.ts$|errors\\.ts$)'),
    typesMayPass: true,
    because: 'internal/ stands below everything else',
  },
  {
    files: path('store/(?!contract|conformance/)'),
    never: path(''),
    except: path('(store/|internal/|audit/|ids\\.ts$|errors\\.ts$)'),
    typesMayPass: true,
    because: 'a store holds no domain rule and knows none',
  },
  {
    files: path('store/contract'),
    never: path('(store/(?!contract)|http/|adapters/)'),
    because: 'the contract of a store names none',
  },
  {
    files: path('(?!adapters/)[^/]+/'),
    never: path('adapters/'),
    because: 'an adapter is a host of the rest',
  },
  {
    files: path('[^/]+/'),
    never: path('(index|sallyport|postgres|pglite|schema|testing)\\.ts$'),
    because: 'these files put the parts together, the parts do not know them',
  },
  {
    files: /^packages\/sallyport\//,
    never: /^(packages\/(?!sallyport\/)|@sallyport\/|sallyport(\/|$))/,
    because: 'the library stands on no other package, and imports itself by path',
  },
  {
    files: /^packages\/client\//,
    never: /^(?!packages\/client\/)/,
    because: 'the client stands on nothing but what browsers and Node have',
  },
  {
    files: /^packages\/react\//,
    never: /^(packages\/(?!react\/)|apps\/|sallyport(\/|$)|@sallyport\/(?!client$)|node:)/,
    because: 'the components stand on the client alone',
  },
  {
    files: /^apps\/console\//,
    never: /^(packages\/|sallyport(\/|$)|@sallyport\/(?!react(\/|$)))/,
    because: 'the console is made of the React package, which it imports by its name',
  },
  {
    files: /^packages\/server\//,
    never: /^packages\/(?!server\/)/,
    because: 'another package is imported by its name, through its exports',
  },
]

/** What asks the service through the client, and no other way. */
const ABOVE_THE_CLIENT = /^(?:packages\/react|apps\/console)\/src\//

function fetches(file: string, source: string): Problem[] {
  const message = 'asks by itself: nothing above the client does'
  return Array.from(
    source.matchAll(/(?<![.\w])(?:fetch\(|new (?:XMLHttpRequest|WebSocket|EventSource)\b)/g),
    (match) => ({
      file,
      line: lineAt(source, match.index),
      message,
    }),
  )
}

export async function checkBoundaries(root: string): Promise<Problem[]> {
  const problems: Problem[] = []
  const folders = await Promise.all(['packages', 'apps'].map((folder) => listFiles(root, folder, ['.ts', '.tsx'])))
  for (const file of folders.flat()) {
    if (isTest(file) || /^packages\/[^/]+\/src\/testing\//.test(file)) continue
    const applying = RULES.filter((rule) => rule.files.test(file))
    const source = await readFile(join(root, file), 'utf8')
    if (ABOVE_THE_CLIENT.test(file)) problems.push(...fetches(file, source))
    for (const { specifier, line, typeOnly } of readImports(source)) {
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier
      for (const { never, except, typesMayPass, because } of applying) {
        if (typeOnly && typesMayPass) continue
        if (never.test(target) && except?.test(target) !== true) {
          problems.push({ file, line, message: `imports ${specifier}: ${because}` })
        }
      }
    }
  }
  return problems
}
