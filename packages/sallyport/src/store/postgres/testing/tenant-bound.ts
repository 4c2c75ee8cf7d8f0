/**
 * Reads SQL for whose rows it touches: which tables of tenants a statement names without saying of which tenant.
 *
 * It reads what the store writes, not all of SQL, and errs on the side of complaint: a condition counts only where nothing
 * beside it (an OR) could let a row through without it.
 *
 * @module
 */

/** A word, a sign, or what stands between a pair of parentheses. */
type Node = string | readonly Node[]

interface Reference {
  readonly table: string
  readonly alias: string
}

/** That an alias is of the same tenant as another of its scope, or, without one, of a tenant that is given. */
type Pair = readonly [alias: string, other: string | undefined]

/** The names of one scope, and what USING says of them. */
interface Scope {
  readonly references: Reference[]
  readonly pairs: Pair[]
}

const TOKEN = /--[^\n]*|e?'(?:[^']|'')*'|"[^"]+"|[a-z_][\w$]*|\$\d+|\d+(?:\.\d+)?|::|<>|<=|>=|[^\s]/gi
const SUBQUERY = new Set(['select', 'with', 'insert', 'update', 'delete', 'values'])
const CLAUSE = new Set(
  'select from where on join left inner cross full group order limit having returning set using for values union'.split(
    ' ',
  ),
)
const CONDITION = new Set(['where', 'on'])
const NO_ALIAS = new Set([...CLAUSE, 'as', 'default', 'offset', 'fetch', 'right', 'natural', 'except', 'intersect'])

/** The column that says whose a row is, by table. */
export type TenantColumns = ReadonlyMap<string, string>

/**
 * The tables of tenants that a statement reads or writes without naming the tenant, sorted.
 *
 * @param columns The column that names the tenant, of every table that has one.
 */
export function unboundTables(text: string, columns: TenantColumns): readonly string[] {
  const unbound = new Set<string>()
  for (const statement of split(treeOf(inOneWord(text)), new Set([';']))) judge(statement, columns, unbound)
  return [...unbound].sort()
}

function treeOf(text: string): readonly Node[] {
  const open: Node[][] = [[]]
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('--')) continue
    if (token === '(') open.push([])
    else if (token === ')') {
      const group = open.pop()
      if (group === undefined || open.length === 0) throw new TypeError('sql: a parenthesis too many')
      open.at(-1)?.push(group)
    } else open.at(-1)?.push(token.startsWith('"') ? token.slice(1, -1) : token.toLowerCase())
  }
  const [tree] = open
  if (tree === undefined || open.length !== 1) throw new TypeError('sql: a parenthesis too few')
  return tree
}

/** Equality in one word: its FROM begins no clause. */
const inOneWord = (text: string): string =>
  text.replaceAll(/\bis\s+not\s+distinct\s+from\b/gi, ' = ').replaceAll(/\bis\s+distinct\s+from\b/gi, ' <> ')

function split(nodes: readonly Node[], at: ReadonlySet<string>): readonly (readonly Node[])[] {
  const parts: Node[][] = [[]]
  for (const node of nodes) {
    if (typeof node === 'string' && at.has(node)) parts.push([])
    else parts.at(-1)?.push(node)
  }
  return parts
}

const isSubquery = (node: Node): boolean =>
  typeof node !== 'string' && typeof node[0] === 'string' && SUBQUERY.has(node[0])

/** One scope of names. What is nested in it has a scope of its own, in which the names of this one are given. */
function judge(nodes: readonly Node[], columns: TenantColumns, unbound: Set<string>): void {
  for (const part of split(nodes, new Set(['union', 'except', 'intersect']))) {
    const scope: Scope = { references: [], pairs: [] }
    collect(part, columns, scope, unbound)
    const bound = boundIn(part, scope, columns)
    for (const { table, alias } of scope.references) if (!bound.has(alias)) unbound.add(table)
  }
}

/** Finds the tables that a scope names, judges what is nested in it, and settles what an INSERT says at once. */
function collect(nodes: readonly Node[], columns: TenantColumns, scope: Scope, unbound: Set<string>): void {
  const { references, pairs } = scope
  let isList = false
  nodes.forEach((node, at) => {
    if (typeof node !== 'string') {
      if (typeof node !== 'string' && isSubquery(node)) judge(node, columns, unbound)
      else if (nodes[at - 1] === 'using') pairs.push(...joined(node, scope, columns))
      else collect(node, columns, scope, unbound)
      return
    }
    const before = nodes[at - 1]
    const startsItem =
      before === 'from' || before === 'join' || before === 'using' || before === 'update' || (before === ',' && isList)
    if (CLAUSE.has(node)) isList = node === 'from' || node === 'join' || node === 'using'
    if (before === 'into' && columns.has(node)) {
      const named = nodes.slice(at + 1).find((next) => typeof next !== 'string')
      if (!(Array.isArray(named) && named.includes(columns.get(node)))) unbound.add(node)
    } else if (startsItem && columns.has(node)) references.push({ table: node, alias: aliasAfter(nodes, at) ?? node })
  })
}

/** What a join with USING says: the tables on its sides are of one tenant. */
function joined(using: readonly Node[], { references }: Scope, columns: TenantColumns): readonly Pair[] {
  const last = references.at(-1)
  if (last === undefined || !using.includes(columns.get(last.table) as string)) return []
  const other = references.at(-2)?.alias
  return other === undefined
    ? [[last.alias, undefined]]
    : [
        [last.alias, other],
        [other, last.alias],
      ]
}

function aliasAfter(nodes: readonly Node[], at: number): string | undefined {
  const next = nodes[at + 1] === 'as' ? nodes[at + 2] : nodes[at + 1]
  return typeof next === 'string' && /^[a-z_]/.test(next) && !NO_ALIAS.has(next) ? next : undefined
}

/** Of these references, the aliases whose tenant is given: by a value, by a name from outside, or by one that is itself bound. */
function boundIn(
  nodes: readonly Node[],
  { references, pairs: given }: Scope,
  columns: TenantColumns,
): ReadonlySet<string> {
  const keys = new Map(references.map(({ table, alias }) => [alias, columns.get(table) as string]))
  const pairs = [...given, ...equalities(nodes, keys)]
  const bound = new Set<string>()
  for (let grew = true; grew; ) {
    grew = false
    for (const [one, other] of pairs) {
      if (bound.has(one) || (other !== undefined && !bound.has(other))) continue
      bound.add(one)
      grew = true
    }
  }
  return bound
}

function equalities(nodes: readonly Node[], keys: ReadonlyMap<string, string>): readonly Pair[] {
  return clausesOf(nodes).flatMap((clause) => (clause.includes('or') ? [] : equalitiesOf(clause, keys)))
}

/** The conditions of this scope, each without its keyword. */
function clausesOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const clauses: Node[][] = []
  let current: Node[] | undefined
  for (const node of nodes) {
    if (typeof node === 'string' && CLAUSE.has(node)) {
      current = CONDITION.has(node) ? [] : undefined
      if (current !== undefined) clauses.push(current)
    } else current?.push(node)
  }
  return clauses
}

function equalitiesOf(clause: readonly Node[], keys: ReadonlyMap<string, string>): readonly Pair[] {
  const found: Pair[] = []
  for (const condition of split(clause, new Set(['and']))) {
    const [only] = condition
    if (condition.length === 1 && only !== undefined && typeof only !== 'string' && !isSubquery(only)) {
      if (!only.includes('or')) found.push(...equalitiesOf(only, keys))
      continue
    }
    const sides = sidesOf(condition)
    if (sides === undefined) continue
    const [left, right] = sides.map((side) => aliasOf(side, keys))
    if (left !== undefined) found.push([left, right])
    if (right !== undefined) found.push([right, left])
  }
  return found
}

function sidesOf(condition: readonly Node[]): readonly [readonly Node[], readonly Node[]] | undefined {
  // That it is of no tenant says whose it is too.
  const at = condition.findIndex((node) => node === '=' || node === 'in' || node === 'is')
  return at > 0 && !condition.includes('not') ? [condition.slice(0, at), condition.slice(at + 1)] : undefined
}

/**
 * The alias whose tenant's column this is, alone, in a row of columns, or with what stands for none; a cast aside. An
 * unqualified column is the only table's.
 */
function aliasOf(side: readonly Node[], keys: ReadonlyMap<string, string>): string | undefined {
  const group = side[0] === 'coalesce' ? side[1] : side.length === 1 ? side[0] : undefined
  if (group !== undefined && typeof group !== 'string' && !isSubquery(group)) {
    const columns = split(group, new Set([','])).map((column) => aliasOf(column, keys))
    return side[0] === 'coalesce' ? columns[0] : columns.find((alias) => alias !== undefined)
  }
  const cast = side.indexOf('::')
  const column = cast === -1 ? side : side.slice(0, cast)
  const [first, dot, last] = column
  if (typeof first !== 'string') return undefined
  if (dot === '.' && column.length === 3) return keys.get(first) === last ? first : undefined
  const [alias] = [...keys.keys()]
  if (column.length !== 1 || keys.size !== 1 || alias === undefined) return undefined
  return keys.get(alias) === first ? alias : undefined
}
