/**
 * Documentation that holds: links lead somewhere, what is public is described, and nothing names the machine that
 * somebody happened to work on.
 *
 * @module
 */

import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, posix } from 'node:path'
import { lineAt, listFiles, type Problem } from './repository.ts'

const PUBLIC_FACES = ['packages/sallyport/src/index.ts', 'packages/client/src/index.ts']

export async function checkDocs(root: string): Promise<Problem[]> {
  const pages = await listFiles(root, '.', ['.md'])
  const found = await Promise.all([
    ...pages.map((page) => checkLinks(root, page)),
    ...[...pages, 'package-lock.json', '.npmrc'].map((file) => checkMachineNames(root, file)),
    ...PUBLIC_FACES.map((face) => checkDocComments(root, face)),
  ])
  return found.flat()
}

async function checkLinks(root: string, page: string): Promise<Problem[]> {
  const text = withoutCode(await readFile(join(root, page), 'utf8'))
  const problems: Problem[] = []
  for (const match of text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)/gm)) {
    const link = match[1] ?? match[2] ?? ''
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue
    const [path = '', anchor] = link.split('#', 2)
    const target = path === '' ? page : posix.join(posix.dirname(page), decodeURIComponent(path))
    const line = lineAt(text, match.index)
    if (!(await exists(join(root, target)))) {
      problems.push({ file: page, line, message: `links to ${link}, which does not exist` })
    } else if (anchor !== undefined && target.endsWith('.md')) {
      const anchors = headingAnchors(await readFile(join(root, target), 'utf8'))
      if (!anchors.has(anchor)) problems.push({ file: page, line, message: `links to ${link}: no such heading` })
    }
  }
  return problems
}

/** Paths of a machine and addresses of package registries: true for one reader only. */
async function checkMachineNames(root: string, file: string): Promise<Problem[]> {
  const text = await readFile(join(root, file), 'utf8').catch(() => '')
  const names = [root, homedir()].filter((name) => name.length > 1)
  const patterns = [
    ...names.map((name) => new RegExp(`(?<![\\w.])${escapeRegExp(name)}/`, 'g')),
    /(?<![\w.:/])\/(?:home|Users)\/[\w.-]+\//g,
    /\bregistry\.[a-z0-9-]+\.[a-z]{2,}\b/gi,
    /"resolved": *"https?:[^"]*"/g,
  ]
  return patterns.flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match) => ({
      file,
      line: lineAt(text, match.index),
      message: `names "${match[0]}", which holds on one machine only`,
    })),
  )
}

async function checkDocComments(root: string, entry: string): Promise<Problem[]> {
  const source = await readFile(join(root, entry), 'utf8').catch(() => '')
  const problems: Problem[] = []
  for (const match of source.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    const line = lineAt(source, match.index)
    for (const clause of (match[1] ?? '').split(',')) {
      const name = /^\s*(?:type\s+)?(\w+)/.exec(withoutComments(clause))?.[1]
      if (name === undefined) continue
      const declaration = await findDeclaration(root, posix.join(posix.dirname(entry), match[2] ?? ''), name)
      if (declaration === undefined) {
        problems.push({ file: entry, line, message: `exports ${name}, whose declaration was not found` })
      } else if (!declaration.described) {
        problems.push({ ...declaration.at, message: `${name} is public and has no doc comment` })
      }
    }
  }
  return problems
}

interface Declaration {
  readonly described: boolean
  readonly at: { readonly file: string; readonly line: number }
}

/** Follows re-exports to the file where the name is declared. */
async function findDeclaration(root: string, file: string, name: string): Promise<Declaration | undefined> {
  const source = await readFile(join(root, file), 'utf8').catch(() => undefined)
  if (source === undefined) return undefined
  const declared = new RegExp(
    `^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function\\*?|const|let|class|interface|type) ${name}\\b`,
    'm',
  ).exec(source)
  if (declared) {
    const before = source.slice(0, declared.index).trimEnd()
    return {
      // A module's own comment, the one with @module, describes the file and not what happens to come first in it.
      described: before.endsWith('*/') && !before.slice(before.lastIndexOf('/**')).includes('@module'),
      at: { file, line: lineAt(source, declared.index) },
    }
  }
  for (const match of source.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)) {
    const clauses = (match[1] ?? '').split(',').map((clause) => clause.trim().replace(/^type\s+/, ''))
    for (const clause of clauses) {
      const [original = '', renamed = original] = clause.split(/\s+as\s+/)
      if (renamed === name) return findDeclaration(root, posix.join(posix.dirname(file), match[2] ?? ''), original)
    }
  }
  return undefined
}

/** The anchors that headings get where Markdown is shown: lower case, spaces to hyphens, punctuation left out. */
function headingAnchors(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const match of withoutCode(text, false).matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const base = (match[1] ?? '')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    let anchor = base
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${base}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** Blanks code out and keeps line numbers. Headings keep their inline code, whose words are part of the anchor. */
function withoutCode(text: string, inlineToo = true): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ')
  const prose = text.replace(/^```.*?^```/gms, blank)
  return inlineToo ? prose.replace(/`[^`\n]+`/g, blank) : prose
}

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\/|\/\/.*$/gms, '')
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
